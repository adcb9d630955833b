#!/bin/sh
# Installs the system packages that the build takes, and those named, or names them where it may not.
set -eu
packages="g++ cmake ninja-build ccache libfmt-dev nlohmann-json3-dev libgtest-dev libgmock-dev python3-dev python3-venv libjpeg62-turbo-dev libpng-dev libwebp-dev libgif-dev zlib1g-dev $*"

missing=""
for package in $packages; do
  case $package in
    g++) command -v g++ >/dev/null || command -v c++ >/dev/null || missing="$missing $package" ;;
    clang) command -v clang++ >/dev/null || missing="$missing $package" ;;
    cmake) command -v cmake >/dev/null || missing="$missing $package" ;;
    ninja-build) command -v ninja >/dev/null || missing="$missing $package" ;;
    ccache) command -v ccache >/dev/null || missing="$missing $package" ;;
    python3-dev | python3-venv) ;; # The interpreter that was chosen brings its own, or says so.
    *) dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package" ;;
  esac
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
  run=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  run="sudo"
else
  echo "These system packages are missing; install them, then run make again:$missing" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null; then
  echo "These packages (Debian's names) are missing; install them with your system's tool:$missing" >&2
  exit 1
fi
$run apt-get update -qq
# shellcheck disable=SC2086  # The list is meant to be split.
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing
