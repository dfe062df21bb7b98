#!/bin/sh
# SPDX-License-Identifier: MIT
# What cats-dogs writes never goes over something else that may be wanted: two outputs are two
# files, whatever their paths look like, and a file is only replaced by one of its own kind.
set -u
. "$(dirname "$0")/common.sh"

cd "$work" || exit 1
run 0 "$cats_dogs" draw drawings --count 24 --seed 4

train() { # OPTION...
    "$cats_dogs" train drawings --network classic --size 16 --epochs 1 --quiet "$@"
}

# One file of each kind.
run 0 train --output a.cnn --checkpoint a.ckpt --report a.html --metrics a.lines
expect_no_errors
jpeg=$(find drawings/train -name '*.jpg' | head -n 1)
png=$(find drawings/train -name '*.png' | head -n 1)
echo precious >text
printf '{\n  "name": "a"\n}\n' >settings.json
head -c 2000 a.cnn >cut.cnn
{
    printf '\100\000\000\000\000\000\000\000'
    printf '{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}     '
    printf '\000\000\200\077'
} >other.safetensors
find . -type f -exec cksum {} + | sort >"$work/sums"

# refuse_all PATTERN COMMAND...: and no file has changed, and none is new.
refuse_all() {
    refuse "$@"
    find . -type f ! -name sums ! -name out ! -name err ! -name now -exec cksum {} + | sort >now
    grep -v -E ' ./(sums|out|err|now)$' sums | diff - now >out 2>err || fail 'files have changed'
}

# ---- Two outputs in one file ----

# same A B OPTION...: the option A names the same file as B.
same() {
    a=$1 b=$2
    shift 2
    refuse_all "$a: the same file as $b, wanted another\$" train "$@"
}
mkdir folder
ln -s . folder/here
ln -s x link
ln a.cnn hard.cnn
sed -i 's: ./a.cnn$:&:' sums && cksum ./hard.cnn >>sums && sort -o sums sums

same '--checkpoint ./x' '--output x' --checkpoint ./x --output x
same '--report x' '--output x' --report x --output x
same '--metrics x' '--output x' --metrics x --output x
same '--tensorboard x' '--output x' --tensorboard x --output x
same '--report x' '--checkpoint folder/../x' --report x --checkpoint folder/../x --output y
same '--metrics link' '--checkpoint x' --metrics link --checkpoint x --output y
same '--metrics x' '--report link' --metrics x --report link --output y
same '--tensorboard x' '--metrics x' --tensorboard x --metrics x --output y
same '--report folder/here/y' '--output folder/y' --report folder/here/y --output folder/y
# Files that are there, by other names, and as the standard output.
same '--checkpoint folder/../a.cnn' '--output a.cnn' --checkpoint folder/../a.cnn --output a.cnn
same '--report hard.cnn' '--output a.cnn' --report hard.cnn --output a.cnn
# A training that is resumed has its checkpoint as well.
refuse_all '--report a.ckpt: the same file as --resume ./a.ckpt, wanted another$' \
    "$cats_dogs" train --resume ./a.ckpt --report a.ckpt
refuse_all '--metrics a.ckpt: the same file as --resume a.ckpt, wanted another$' \
    "$cats_dogs" train --resume a.ckpt --checkpoint x --metrics a.ckpt
# A report does not go over its model.
refuse_all '--output folder/../a.cnn: the same file as MODEL a.cnn, wanted another$' \
    "$cats_dogs" report a.cnn drawings --output folder/../a.cnn

# ---- A file of another kind ----

# keep FILE FOUND OPTION...: which all refuse to write to FILE.
keep() {
    file=$1 content=$2
    shift 2
    for option in "$@"; do
        case $option in
        output) wanted='a model' ;;
        checkpoint) wanted='a checkpoint' ;;
        report) wanted='an HTML page' ;;
        metrics) wanted='lines of JSON' ;;
        esac
        wanted="--$option $file: found $content, wanted $wanted or no file yet\$"
        if [ "$option" = output ]; then
            refuse_all "$wanted" train --output "$file"
        else
            refuse_all "$wanted" train --output y "--$option" "$file"
        fi
    done
}
keep a.cnn 'a model' checkpoint report metrics
keep a.ckpt 'a checkpoint' output report metrics
keep a.html 'an HTML page' output checkpoint metrics
keep a.lines 'lines of JSON' output checkpoint report
keep "$jpeg" 'a JPEG' output checkpoint report metrics
keep "$png" 'a PNG' output checkpoint report metrics
keep text 'another file' output checkpoint report metrics
keep settings.json 'another file' output checkpoint report metrics
for file in cut.cnn other.safetensors; do
    keep $file 'tensors that are no model of libcnn, or a damaged one' \
        output checkpoint report metrics
done
refuse_all '--output text: found another file, wanted an HTML page or no file yet$' \
    "$cats_dogs" report a.cnn drawings --output text
if [ -n "$unprivileged" ] || [ "$(id -u)" -ne 0 ]; then
    chmod 200 text
    refuse '--output text: found a file that cannot be read, wanted a model or no file yet$' \
        $unprivileged "$cats_dogs" train drawings --network classic --size 16 --output text
    chmod 644 text
fi

# ---- What may be written to ----

# Each kind once more, empty files, and the standard output wherever it goes.
: >empty.cnn
: >empty.ckpt
: >empty.html
: >empty.lines
for name in a empty; do
    run 0 train --output $name.cnn --checkpoint $name.ckpt --report $name.html \
        --metrics $name.lines --seed 1
    expect_no_errors
    cmp a.cnn $name.cnn >err || fail 'another model'
done
[ "$(grep -c '"event":"start"' a.lines)" -eq 2 ] || fail 'no lines were added'
run 0 "$cats_dogs" report a.cnn drawings --output a.html
run 0 train --output y --metrics /dev/null
expect_no_errors
echo before >printed
train --output y --metrics /dev/fd/1 >>printed 2>err || fail 'lines on the standard output'
grep -q '^{"event":"start"' printed || fail 'no lines on the standard output'
finish
