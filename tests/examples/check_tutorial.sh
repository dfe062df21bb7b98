#!/bin/sh
# SPDX-License-Identifier: MIT
# The tutorial in examples/README.md: its commands, in their order, on drawings under the names of
# flowers; and what it says that they print.  check_tutorial.sh PROGRAMS ROOT.
set -u
. "$(dirname "$0")/common.sh"
root=$(cd "$2" && pwd)

# The commands, but those that build, and the tables shown.
tutorial() { sed -n '/^## Your own classifier/,/^## cats-dogs/p' "$root/examples/README.md"; }
blocks() { # LANGUAGE: what stands in blocks of it
    tutorial | awk -v wanted="\`\`\`$1" '
        /^```/ { inside = !inside; shown = inside && $0 == wanted; next }
        shown'
}
blocks sh | grep '^cats-dogs' >"$work/commands"
[ "$(wc -l <"$work/commands")" -eq 3 ] || fail "wanted three commands of cats-dogs"

# The program as the tutorial calls it, but small and quick.
mkdir "$work/bin" "$work/new"
cat >"$work/bin/cats-dogs" <<END
#!/bin/sh
command=\$1
shift
case \$command in
draw) set -- "\$@" --count 240 ;;
train) set -- "\$@" --network classic --size 32 --batch 16 --epochs 12 ;;
esac
exec "$(cd "$programs" && pwd)/cats-dogs" "\$command" "\$@"
END
chmod +x "$work/bin/cats-dogs"
PATH=$work/bin:$PATH
cd "$work" || exit 1

command_of() { grep "^cats-dogs $1 " "$work/commands"; }
run 0 sh -c "$(command_of draw)"
mv drawn/train flowers
mv flowers/cats flowers/daisy
mv flowers/dogs flowers/rose
mv flowers/rabbits flowers/tulip
run 0 sh -c "$(command_of train)"
expect_no_errors
mv out trained

# What is shown and what was printed are the same but for numbers and the lines between.
for line in 'training' 'validation' 'test' ' *no test' 'actual' 'daisy' 'class' '(mean)' \
    'log loss' 'top-2' 'accuracy'; do
    blocks '' | grep "^$line" | sed 's/[0-9.][0-9.]*/N/g; s/  */ /g' >shown
    grep "^$line" trained | sed 's/[0-9.][0-9.]*/N/g; s/  */ /g' >printed
    [ -s shown ] && cmp -s shown printed || { cp trained out; fail "other lines of $line"; }
done

cp drawn/test/rabbits/*.jpg new
run 0 sh -c "$(command_of predict)"
[ "$(wc -l <out)" -eq "$(find new -type f | wc -l)" ] || fail "wanted a line per picture"
tab=$(printf '\t')
expect_output "^new/rabbit\.[0-9]+\.jpg${tab}(daisy|rose|tulip)${tab}[01]\.[0-9]{4}$"

# Folders of one's own for the test, as the end says.
mkdir flowers/train flowers/test
for class in daisy rose tulip; do
    mkdir "flowers/test/$class"
    mv flowers/$class/*5.* "flowers/test/$class"
    mv "flowers/$class" flowers/train
done
run 0 cats-dogs train flowers --output own.cnn
grep -q 'set aside' out && fail "something was set aside beside a test folder"
sed -n '/^measured on /,$p' out >tested
run 0 cats-dogs evaluate own.cnn flowers
cmp -s out tested || fail "evaluate differs from what train printed"
finish
