# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripts that run inside the server, one small file each; each looks and changes in one step."""
