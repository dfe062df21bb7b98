#!/bin/sh
# SPDX-License-Identifier: MIT
# The page of a report in headless Chromium: it is drawn, wide and narrow, in both colour schemes,
# asks for nothing, complains of nothing, and no text is cut off or runs out of the page.
# Skipped where there is no Chromium; a failure, where CNN_TEST_REQUIRE lists chromium.
set -u
. "$(dirname "$0")/common.sh"

browser=
for name in chromium chromium-headless-shell chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v $name) || browser=
done
if [ -z "$browser" ]; then
    case ,${CNN_TEST_REQUIRE:-}, in
    *,chromium,*) echo 'failed, as chromium is required'; exit 1 ;;
    esac
    echo 'skipped: there is no chromium'
    exit 77
fi

# browse OPTION... ADDRESS: with a profile of its own, no network, and what pages say on standard
# error.  Its sandbox needs rights that root in a container has not.
browse() {
    timeout 100 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
        --disable-dev-shm-usage --no-first-run --disable-extensions --disable-sync \
        --disable-background-networking --disable-component-update \
        --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$work/profile" \
        --enable-logging=stderr --log-level=0 "$@"
}

# expect_quiet: nothing that the page did was worth a line in the console.
expect_quiet() {
    grep -E 'CONSOLE|Refused|net_error' "$work/err" && fail "the page made the browser complain"
}

drawings=$work/drawings
page=$work/report.html
run 0 "$cats_dogs" draw "$drawings" --kinds 3 --count 120
run 0 "$cats_dogs" train "$drawings" --output "$work/models/a.cnn" --network classic --size 24 \
    --epochs 3 --quiet --report "$page"

# ---- What the browser makes of it ----

run 0 browse --dump-dom "file://$page"
expect_quiet
cp "$work/out" "$work/dom"
for section in training classes confidence mistakes uncertain heat filters network run; do
    grep -q "<section id=\"$section\">" "$work/dom" || fail "no section $section in the browser"
done
[ "$(grep -o '<svg' "$work/dom" | wc -l)" -ge 7 ] || fail "wanted charts and a matrix"

# Measured by a page that holds the report in a frame: nothing is wider than its window, every
# picture has been decoded, and nothing leads elsewhere.
cat >"$work/measure.html" <<'END'
<!DOCTYPE html><body><iframe id="page" src="report.html" height="800"></iframe><script>
onload = () => {
    const frame = document.getElementById("page"), page = frame.contentDocument, found = [];
    for (const width of [400, 700, 1280]) {
        frame.width = width;
        const fits = page.documentElement.scrollWidth <= width;
        found.push((fits ? "fits " : "TOO WIDE ") + width);
    }
    const images = [...page.images];
    const decoded = images.every(image => image.complete && image.naturalWidth > 0);
    found.push(decoded ? "decoded" : "BROKEN");
    const ways = [...page.querySelectorAll("[src], [href]")].map(
        element => element.getAttribute("src") ?? element.getAttribute("href"));
    found.push(ways.every(way => /^(data:|#)/.test(way)) ? "alone" : "NOT ALONE");
    document.body.dataset.found = found.join(", ");
};
</script></body>
END
run 0 browse --allow-file-access-from-files --virtual-time-budget=10000 --dump-dom \
    "file://$work/measure.html"
expect_output 'data-found="fits 400, fits 700, fits 1280, decoded, alone"'

# ---- Pictures of it ----

# shoot NAME WIDTH OPTION...: a screenshot, which has more in it than a plain ground.
shoot() {
    shot=$work/$1.png
    width=$2
    shift 2
    run 0 browse --screenshot="$shot" --window-size="$width,3000" "$@" "file://$page"
    expect_quiet
    [ "$(head -c 4 "$shot" 2>/dev/null | tail -c 3)" = PNG ] || fail "no screenshot $shot"
    [ "$(wc -c <"$shot")" -gt 100000 ] || fail "$shot shows next to nothing"
}

shoot light 1280
shoot dark 1280 --blink-settings=preferredColorScheme=0
shoot narrow 500
cmp -s "$work/light.png" "$work/dark.png" && fail "the dark scheme looks like the light one"
finish
