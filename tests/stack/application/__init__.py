# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sample application: the data of the guides' teams on real stores, with or without planted troubles."""
