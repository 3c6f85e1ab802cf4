#!/bin/bash
# Renders tracks of four unrelated stems at 44.1 kHz: zoo/rendered/four_stems.sh SOURCES MIR1K OUT [TRAIN] [VALID]
#
# SOURCES has, all of it downloaded and none of it part of this repository:
#   debian/   `dpkg -x` of fluid-soundfont-gm, musescore-general-soundfont (MIT), avldrums.lv2-soundfont (CC BY-SA),
#             hydrogen-drumkits (GPL, CC), freedoom (BSD), openttd-openmsx (GPL-2), planetblupi-music-midi (GPL-3)
#   groove/   of github.com/zharry29/drums-with-llm: the Groove MIDI Dataset (CC BY 4.0)
#   POP909/   of github.com/music-x-lab/POP909-Dataset (MIT)
#   drumkit/  github.com/crabacus/the-open-source-drumkit
# MIR1K has the folders train, more and valid of clips: valid is only validated on. Needs fluidsynth and pretty_midi.
# Five minutes of one core for 44 and 4 tracks of a minute.
set -e
sources=$1 mir1k=$2 out=$3 counts="--train ${4:-44} --valid ${5:-4}"
here=$(dirname "$0") python=${PYTHON:-python} share=$sources/debian/usr/share
fluid=$share/sounds/sf2/FluidR3_GM.sf2 musescore=$share/sounds/sf3/MuseScore_General_Full.sf3

"$python" "$here/doom_songs.py" "$share"/games/doom/*.wad --out "$sources/freedoom"
"$python" "$here/drums.py" "$out" $counts --groove "$sources/groove" --soundfonts "$fluid" "$musescore" \
    --kit-soundfonts "$share"/sounds/sf2/{Black_Pearl,Red_Zeppelin}_4_LV2.sf2 \
    --hydrogen "$share/hydrogen/data/drumkits" --open-source "$sources/drumkit"
for stem in other bass; do
    "$python" "$here/instruments.py" "$out" --stem $stem $counts --soundfonts "$fluid" "$fluid" "$musescore" \
        --midi "$sources/freedoom" "$share/games/openttd" "$share/planetblupi/music" "$sources/POP909"
done
"$python" "$here/voices.py" "$out" $counts --voices "$mir1k/train" "$mir1k/more" --valid-voices "$mir1k/valid"
