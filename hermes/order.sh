#!/bin/sh
# Orders a film with curl alone, waits for it, and fetches it:
#
#     HERMES_TOKEN=… sh order.sh story.txt film.mp4
#
# VIDEO_STORY_URL is the server's address (default http://127.0.0.1:8000). Ends with 0 when the film is delivered, 1 when
# something failed, 2 when the making is paused and a person has something to do first. The same story again is the same
# order, so after a broken line just run it again.
set -eu

url=${VIDEO_STORY_URL:-http://127.0.0.1:8000}
story=$1
film=$2
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

ask() { # the answer goes to $answer, whatever its status
    curl --silent --show-error --retry 5 --retry-connrefused --header "Authorization: Bearer $HERMES_TOKEN" \
        --output "$answer" --write-out '%{http_code}' "$@"
}
field() { # a top-level text or number of the answer; the server writes no spaces between names and values
    sed -n "s/.*[{,] *\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p" "$answer" | head -n 1
}

# The story as a JSON string.
body=$(awk 'BEGIN { printf "{\"story\":\"" } { gsub(/\\/, "&&"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); gsub(/\r/, "");
    printf "%s\\n", $0 } END { printf "\"}" }' "$story")
key=$(cksum <"$story" | tr ' ' '-')
code=$(printf '%s' "$body" | ask --request POST "$url/api/hermes/projects/create-and-run" \
    --header 'Content-Type: application/json' --header "Idempotency-Key: order-$key" --data-binary @-)
[ "$code" = 202 ] || { cat "$answer" >&2; exit 1; }
project=$(field project_id)
echo "project $project"

while :; do
    code=$(ask "$url/api/hermes/projects/$project/status")
    [ "$code" = 200 ] || { cat "$answer" >&2; exit 1; }
    echo "$(field state) $(field percent) % $(field step)"
    case $(field state) in
        done) break ;;
        running) sleep "$(field ask_again_s)" ;;
        paused) cat "$answer" >&2; exit 2 ;;
        *) cat "$answer" >&2; exit 1 ;;
    esac
done

# A download that broke off begins again: only an answer that arrived whole counts as delivered.
curl --silent --show-error --fail --retry 5 --header "Authorization: Bearer $HERMES_TOKEN" \
    --output "$film" "$url/api/hermes/projects/$project/export"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    ask "$url/api/hermes/projects/$project/status" >/dev/null
    [ "$(field delivered_at)" = null ] || { echo "delivered $(field delivered_at)"; exit 0; }
    sleep 1
done
echo "The server does not confirm the delivery." >&2
exit 1
