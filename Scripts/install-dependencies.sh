#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the system packages that Firn is built with, where they are missing. Debian and Ubuntu only; elsewhere it
# says what is needed. Does nothing, and needs no network, when all is there.
set -euo pipefail

packages=(liblz4-dev libzstd-dev zlib1g-dev libedit-dev pkg-config tzdata)
missing=()
for package in "${packages[@]}"; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing+=("$package")
done
# The tests of the format make a virtual environment. Debian's python3 comes without the module.
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)

if ! command -v swift >/dev/null; then
    echo "error: Swift 6.1 or later is needed: https://www.swift.org/install" >&2
    exit 1
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "error: please install the equivalents of: ${missing[*]}" >&2
    exit 1
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
echo "installing: ${missing[*]}" >&2
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}" >/dev/null
