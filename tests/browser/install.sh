#!/usr/bin/env bash
# Chromium and Chinese fonts from Debian's packages: installed where we may, else the line that says what to install.
set -u
have_browser() { command -v chromium >/dev/null 2>&1; }
have_fonts() { ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1; }
if have_browser && have_fonts; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null
fi
if have_browser && have_fonts; then exit 0; fi
echo "The browser tests need Chromium and Chinese fonts: apt-get install chromium fonts-noto-cjk" >&2
exit 1
