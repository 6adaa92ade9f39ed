#!/bin/sh
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# As in the stock image: the server runs as mongodb and owns its folders. The tests make their users themselves.

set -eu

if [ "$1" = mongod ] && [ "$(id -u)" = 0 ]; then
    mkdir -p /data/db /data/configdb
    chown -R mongodb /data/db /data/configdb
    exec setpriv --reuid=mongodb --regid=mongodb --init-groups "$0" "$@"
fi

exec "$@"
