#!/bin/sh
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Usage: tests/images/base.sh TARBALL
# Bootstraps the Debian file system that all images here share. Each image only adds its entry point to it.

set -eu

# The hooks are for the shell that mmdebstrap starts; $1 is the new file system there.
# shellcheck disable=SC2016

exec mmdebstrap --quiet --variant=minbase \
    --include=ca-certificates,libcurl4,postgresql-15,postgresql-15-hypopg,postgresql-15-repack \
    --include=procps,python3,python3-pip,redis-server,tzdata \
    --essential-hook='mkdir -p "$1/etc/postgresql-common"' \
    --essential-hook='echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"' \
    --customize-hook='chroot "$1" useradd --system --no-create-home mongodb' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/usr/share/doc/* "$1"/usr/share/man/*' \
    bookworm "$1"
