#!/bin/bash
# Downloads recordings of speech, and music for noise: zoo/speech/sources.sh SOURCES
#
# 0.6 GB on Debian or Ubuntu; none of it is part of this repository. README.md beside this file has the licences.
set -e
mkdir -p "$1" && cd "$1"
for package in asterisk-core-sounds-{en,es,fr,it,ru}-g722 asterisk-moh-opsound-g722 festvox-ru gcin-voice; do
    [ -d "$package" ] && continue
    apt-get download "$package"
    dpkg-deb -x "$package"_*.deb "$package" && rm "$package"_*.deb
done
for repository in Picovoice/speech-to-intent-benchmark Picovoice/wake-word-benchmark MycroftAI/Precise-Community-Data; do
    [ -d "${repository#*/}" ] || git clone --depth 1 "https://github.com/$repository"
done
