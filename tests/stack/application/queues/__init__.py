# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Queues made by the real libraries: PyPI's bullmq for the sample application, npm's bull and bullmq for tests."""
