#!/bin/sh
# SPDX-License-Identifier: MIT
# cats-dogs check: drawings are fine, and everything that is put wrong in them is found and named.
# The second argument is the program alter_picture, which makes copies and odd pictures.
set -u
. "$(dirname "$0")/common.sh"
alter_picture=$2

clean=$work/clean
data=$work/data
model=$work/models/model.cnn

# Half a drawing is not to be a tiny one.
check() { run "$1" "$cats_dogs" check "$data" --all --size 32; }
fresh() { rm -rf "$data" && cp -r "$clean" "$data"; }

# drawing CLASS NUMBER: the drawing of this number, as a path below the training folder.
drawing() { (cd "$clean/train" && echo "$1"/*."$2".*); }

# alter IN OUT CHANGE...: a changed copy within the training folder.
alter() {
    in=$data/train/$1 out=$data/train/$2
    shift 2
    "$alter_picture" "$in" "$out" "$@" || fail "alter_picture: $out"
}

# expect_finding TITLE COUNT PATTERN...: the section of this title has so many findings, and lines
# of it match.
expect_finding() {
    title=$1 count=$2
    shift 2
    sed -n "/^$title: $count\$/,/^\$/p" "$work/out" >"$work/section"
    [ -s "$work/section" ] || fail "found no section \"$title\" of $count"
    for pattern in "$@"; do
        grep -q -E -e "^ +[^ ]*$pattern" "$work/section" ||
            fail "no line of \"$title\" matches: $pattern"
    done
}

# expect_only TITLE COUNT PATTERN...: and there is no other section.
expect_only() {
    expect_finding "$@"
    [ "$(grep -c '^[A-Z].*: [0-9]*$' "$work/out")" -eq 1 ] || fail "wanted nothing but \"$1\""
}

run 0 "$cats_dogs" draw "$clean" --count 240
cat1=$(drawing cats 00001) cat2=$(drawing cats 00002) cat3=$(drawing cats 00003)
cat4=$(drawing cats 00004) dog1=$(drawing dogs 00001) dog2=$(drawing dogs 00002)

# ---- Nothing ----

fresh
check 0
expect_no_errors
expect_output '^ +120 +20  cats$' '^ +120 +20  dogs$' '^ +240 +40  \(all\)$'
expect_last '^nothing found$'
run 0 "$cats_dogs" check "$data/train/" --threads 1
expect_output '^ +120  dogs$' '^ +240  \(all\)$'
expect_last '^nothing found$'

# Pictures for the validation are examined as those for the test.
mv "$data/test" "$data/val"
check 0
expect_output '^   train  validation  class$' '^ +120 +20  cats$' '^ +240 +40  \(all\)$'
mkdir "$data/test"
cp -r "$data/val/cats" "$data/test"
mv "$data/test/cats" "$data/test/lions"
cp -r "$clean/test/dogs" "$data/test"
rm -r "$data/val"/*/*
cp "$data/train/$cat1" "$data/val/cats"
cp "$data/train/$dog1" "$data/val/dogs"
echo 'no picture' >"$data/val/dogs/x.jpg"
check 1
expect_output '^   train  validation      test  class$' '^ +120 +1 +0  cats$' \
    '^ +120 +2 +20  dogs$' '^ +0 +0 +20  lions$' '^ +240 +3 +40  \(all\)$'
expect_finding 'Files that cannot be read' 1 'val/dogs/x\.jpg: begins with'
expect_finding 'The same picture for training and for testing' 2 "train/$cat1\$" "train/$dog1\$"
expect_finding 'Classes' 2 'cats: in train .*, not in test$' 'lions: in test .*, not in train$'

# ---- Files ----

fresh
echo 'This is no picture.' >"$data/train/cats/text.jpg"
: >"$data/train/cats/zero.png"
printf 'RIFF\020\0\0\0WEBPVP8 ' >"$data/test/dogs/web.jpg"
mkfifo "$data/train/dogs/pipe.jpg"
check 1
expect_no_errors
expect_only 'Files that cannot be read' 4 \
    'train/cats/text\.jpg: begins with "This is no p", not as a JPEG or PNG$' \
    'train/cats/zero\.png: .*0 bytes, must be a JPEG or PNG$' \
    'test/dogs/web\.jpg: is a WebP picture' 'train/dogs/pipe\.jpg: is no regular file$'
expect_last '^4 findings$'

fresh
alter "$cat1" cats/whole.jpg
size=$(wc -c <"$data/train/cats/whole.jpg")
head -c $((size * 3 / 4)) "$data/train/cats/whole.jpg" >"$data/train/cats/cut.jpg"
rm "$data/train/cats/whole.jpg"
alter "$cat2" cats/cut.png
truncate -s -2000 "$data/train/cats/cut.png"
check 1
expect_finding 'Damaged pictures' 1 'train/cats/cut\.jpg: damaged JPEG: Premature end'
expect_finding 'Files that cannot be read' 1 'train/cats/cut\.png: damaged PNG'
expect_last '^2 findings$'

fresh
for picture in "$data"/train/cats/*.png; do
    mv "$picture" "${picture%.png}.jpeg"
    break
done
for picture in "$data"/train/dogs/*.jpg; do
    mv "$picture" "${picture%.jpg}.PNG"
    break
done
check 1
expect_only 'Pictures under the name of another format' 2 'cats/.*\.jpeg: a PNG$' \
    'dogs/.*\.PNG: a JPEG$'

fresh
printf 'GIF89a.........' >"$data/train/cats/moving.gif"
printf '\377\330\377\340........' >"$data/train/cats/photo.jfif"
echo 'notes' >"$data/train/cats/notes.txt"
echo 'notes' >"$data/README.txt"
echo 'hidden' >"$data/train/cats/.thumbs"
mkdir "$data/train/dogs/more" "$data/more"
cp "$data/train/$cat1" "$data/train/stray.jpg"
check 1
expect_only 'Passed over' 6 'moving\.gif: GIF in a file' 'photo\.jfif: JPEG in a file' \
    'notes\.txt: not the name of a picture$' 'dogs/more: a folder in' \
    'data/more: a folder beside' 'train/stray\.jpg: a picture beside'

fresh
ln -s "$clean/train/$cat1" "$data/train/cats/link.jpg"
ln -s nowhere "$data/train/cats/broken.jpg"
ln -s "$clean/train/cats" "$data/train/lions"
check 1
expect_only 'Links' 3 "cats/link\.jpg: a link to $clean/train/cats/" \
    'cats/broken\.jpg: a broken link to nowhere$' 'train/lions: a link to'

# What would disturb a terminal is not printed.
fresh
echo 'no' >"$data/train/cats/$(printf 'a\033[2J\nb').jpg"
check 1
expect_only 'Files that cannot be read' 1 'train/cats/a\?\[2J\?b\.jpg: begins with'

# ---- Copies ----

fresh
cp "$data/train/$cat1" "$data/train/cats/same.jpg"
cp "$data/train/$cat1" "$data/train/cats/third.jpg"
alter "$cat2" cats/again.jpg
alter "$cat3" cats/small.png half
alter "$cat4" cats/mirrored.jpg mirror
alter "$dog1" dogs/cropped.jpg crop
alter "$dog2" dogs/brighter.jpg brighten
check 1
expect_only 'The same picture more than once' 6 "$cat1\$" 'cats/same\.jpg: the same bytes$' \
    'cats/third\.jpg: the same bytes$' 'cats/(again\.jpg: (0\.9[0-9]|1\.00) alike|cat\.00002)' \
    'cats/small\.png: (0\.9[0-9]|1\.00) alike$' \
    'cats/mirrored\.jpg: (0\.9[0-9]|1\.00) alike, mirrored$' \
    'dogs/(cropped\.jpg|dog\.00001\..*): 0\.9[0-9] alike$' \
    'dogs/(brighter\.jpg|dog\.00002\..*): (0\.9[0-9]|1\.00) alike$'

fresh
cp "$data/train/$cat1" "$data/test/cats/exact.jpg"
"$alter_picture" "$data/train/$dog1" "$data/test/dogs/near.jpg" half mirror
check 1
expect_only 'The same picture for training and for testing' 2 "$cat1\$" \
    'test/cats/exact\.jpg: the same bytes$' \
    'test/dogs/near\.jpg: (0\.9[0-9]|1\.00) alike, mirrored$'

# A contradiction is worse than a leak, and one group is one finding.
fresh
cp "$data/train/$cat1" "$data/train/dogs/cat.jpg"
alter "$cat1" cats/copy.jpg half
alter "$dog1" cats/dog.png brighten
cp "$data/train/$cat1" "$data/test/cats/exact.jpg"
check 1
expect_only 'The same picture in different classes' 2 "$cat1\$" \
    'train/dogs/cat\.jpg: the same bytes$' 'train/cats/copy\.jpg: ' \
    'test/cats/exact\.jpg: the same bytes$' \
    "(dogs/dog\.00001\..*: (0\.9[0-9]|1\.00) alike|cats/dog\.png)\$"

# Many copies: the first lines of the first findings, unless all are asked for.
fresh
for i in 01 02 03 04 05 06 07 08 09 10 11 12; do
    cp "$data/train/$cat1" "$data/train/cats/copy.$i.jpg"
    dog=$(drawing dogs "000$i")
    cp "$data/train/$dog" "$data/train/dogs/copy.$i.${dog##*.}"
done
run 1 "$cats_dogs" check "$data"
expect_only 'The same picture more than once' 13 'and 3 more$'
expect_output '^  and 3 more; --all shows them$'
check 1
grep -q 'more$' "$work/out" && fail "--all leaves something out"
expect_only 'The same picture more than once' 13 'cats/copy\.12\.jpg: the same bytes'

# ---- Odd pictures ----

fresh
alter "$cat1" cats/tiny.jpg tiny
alter "$cat2" cats/narrow.jpg narrow
for color in gray other; do
    alter "$cat3" "cats/$color.jpg" plain half
done
mv "$data/train/cats/other.jpg" "$data/test/dogs/plain.jpg"
printf 'x' >>"$data/test/dogs/plain.jpg" # other bytes, behind the end of the picture
rm "$data/train/$cat1" "$data/train/$cat2"
run 1 "$cats_dogs" check "$data" --size 60
expect_finding 'Tiny pictures' 3 'cats/tiny\.jpg: 50 x 40 pixels$' 'cats/gray\.jpg: '
expect_finding 'Narrow pictures' 1 'cats/narrow\.jpg: 4\.0 times as wide as high$'
expect_finding 'Pictures of nothing' 2 'cats/gray\.jpg: one colour$' 'test/dogs/plain\.jpg: '
expect_last '^6 findings$'
run 1 "$cats_dogs" check "$data" --size 20
grep -q Tiny "$work/out" && fail "tiny pictures beside --size 20"

# ---- Classes and folders ----

fresh
mkdir "$data/train/birds"
check 1
expect_finding Folders 1 'train/birds: a class without pictures$'
expect_finding Classes 1 'birds: in train with 0 pictures, not in test$'

fresh
mkdir "$data/test/birds"
cp "$data/train/$cat1" "$data/test/birds/bird.jpg"
rm "$data/train/$cat1"
find "$data/train/dogs" -name 'dog.000[1-9]*' -delete
check 1
expect_only Classes 3 'birds: in test with 1 pictures, not in train$' \
    'train: [0-9]+ pictures of dogs, 119 of cats: 1 to [0-9.]+$' 'test: 1 pictures of birds'

# The smallest class that can be trained on is still too small to be learnt.
rm -rf "$data"
mkdir -p "$data/cats" "$data/dogs"
cp "$clean"/train/cats/cat.0000[12].* "$data/cats"
cp "$clean"/train/dogs/dog.0000[12].* "$data/dogs"
check 1
expect_only Classes 2 'train: 2 pictures of cats, fewer than 20$' 'train: 2 pictures of dogs, '
cp "$clean"/train/cats/cat.000[12]?.* "$data/cats"
cp "$clean"/train/dogs/dog.000[12]?.* "$data/dogs"
rm "$data"/cats/cat.0002[1-9].* "$data"/dogs/dog.00029.*
check 1
expect_only Classes 1 'train: 13 pictures of cats, fewer than 20$'
cp "$clean"/train/cats/cat.0003[1-7].* "$data/cats"
check 0

fresh
rm -r "$data/test" "$data/train/dogs"
check 1
expect_only Folders 1 'train: only one class in it$'
mv "$data/train/cats"/* "$data/train"
rmdir "$data/train/cats"
check 1
expect_only Folders 1 'train: no folders of classes in it$'
expect_output '^ +120  \(no class\)$'
fresh
mv "$data/train"/* "$data"
rmdir "$data/train"
check 1
expect_only Folders 1 'test: no folder train beside it'
expect_output '^ +120 +20  cats$'
rm -rf "$data"
mkdir "$data"
check 1
expect_only Folders 1 'data: no folders of classes in it$'
mkdir "$data/cats" "$data/$(printf 'do\377gs')"
cp "$clean/train/$cat1" "$data/cats"
cp "$clean/train/$dog1" "$data"/do*
check 1
expect_finding Folders 1 '"?.* must be UTF-8'

# ---- With a model ----

run 0 "$cats_dogs" draw "$work/others" --count 720 --seed 9
run 0 "$cats_dogs" train "$work/others" --network classic --size 32 --epochs 20 --batch 16 \
    --label-smoothing 0 --quiet --output "$work/model.cnn"
fresh
for i in 11 12 13; do
    dog=$(drawing dogs "000$i") cat=$(drawing cats "000$i")
    mv "$data/train/$dog" "$data/train/cats/wrong.$i.${dog##*.}"
    mv "$data/train/$cat" "$data/train/dogs/wrong.$i.${cat##*.}"
done
run 1 "$cats_dogs" check "$data" --all --model "$work/model.cnn"
expect_no_errors
expect_output '^Labels that the model doubts: [0-9]+$' \
    '^  .*train/cats/wrong\.1[123]\..*: dogs, probability (0\.[89]|1\.)' \
    '^  .*train/dogs/wrong\.1[123]\..*: cats, probability (0\.[89]|1\.)'
found=$(grep -A 8 '^Labels' "$work/out" | grep -c -E 'wrong\..*: (cats|dogs), probability')
[ "$found" -ge 3 ] || fail "wanted 3 of the 6 wrong labels among the first 8, found $found"

mv "$data/train/dogs" "$data/train/wolves"
mv "$data/test/dogs" "$data/test/wolves"
run 1 "$cats_dogs" check "$data" --all --model "$work/model.cnn"
expect_finding Classes 2 'wolves: not a class of the model$' \
    'dogs: a class of the model, without pictures here$'
grep -q 'wolves/.*probability' "$work/out" && fail "asked about a class that the model lacks"

# ---- What cannot be checked ----

fresh
refuse 'none: No such file or directory$' "$cats_dogs" check "$work/none"
refuse ': Not a directory$' "$cats_dogs" check "$data/train/$cat1"
refuse 'check: found 0 operands, wanted DATA' "$cats_dogs" check
refuse 'check: found 2 operands, wanted DATA' "$cats_dogs" check "$data" "$data"
refuse '--size 0: wanted a whole number' "$cats_dogs" check "$data" --size 0
refuse '--threads 257: wanted a whole number' "$cats_dogs" check "$data" --threads 257
refuse '--epochs: no such option' "$cats_dogs" check "$data" --epochs 3
refuse 'text\.cnn": has 5 bytes, too few for a model file' sh -c "echo text >'$work/text.cnn' &&
    '$cats_dogs' check '$data' --model '$work/text.cnn'"
refuse 'cannot open .*none\.cnn": No such file' "$cats_dogs" check "$data" --model "$work/none.cnn"
[ ! -s "$work/out" ] || fail "looked at pictures before the model"

# Ctrl-C in the middle of what takes many seconds.
run 0 "$cats_dogs" train "$clean/test" --size 128 --epochs 1 --quiet --output "$work/slow.cnn"
CNN_CPU=generic "$cats_dogs" check "$data" --model "$work/slow.cnn" --threads 1 \
    >"$work/out" 2>"$work/err" &
sleep 1
kill -INT $!
found=0
wait $! || found=$?
[ "$found" -eq 2 ] || fail "interrupted: found exit status $found, wanted 2"
expect_errors 1 '^cats-dogs: interrupted before all pictures were (read|compared|predicted)$'
[ ! -s "$work/out" ] || fail "a report in spite of Ctrl-C"
finish
