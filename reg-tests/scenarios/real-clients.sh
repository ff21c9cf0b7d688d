#!/bin/bash
#
# Clients and servers that people use, through holdfast, held and streamed: curl (HTTP/1.0, an upload from a
# pipe, a client that does not wait for 100, a browser's multipart form), Python's http.client, and Node's
# http on both sides. What is not there is left out and said; then the test counts as skipped.

# shellcheck source=reg-tests/tools/scenario.sh
source "$(dirname "$0")/../tools/scenario.sh"

make_file $((4 * mb))
start_origin app
missing=""

cat >"$work/holdfast.cfg" <<CONFIG
spool main { path $work/spool }
frontend www {
    bind unix@$work/front.sock
    route stream when header.X-Mode == stream { request-buffering stream; use-backend app }
    route tee when header.X-Mode == tee { request-buffering tee; use-backend app }
    route all { use-backend app }
}
backend app { server app 127.0.0.1:$port }
CONFIG
start_holdfast "$work/holdfast.cfg"

# A file, and what curl sends for it: the sum that the server names must be the file's.
expect_upload() {
    local what=$1
    shift
    expect "$file_sum" "$(request "$@" | sed -nE 's/.*"sha256": "([0-9a-f]+)".*/\1/p')" "$what"
}

for mode in hold tee stream; do
    h=(-H "X-Mode: $mode")
    expect_upload "curl, $mode" "${h[@]}" -T "$file" http://holdfast/upload/a
    expect_upload "curl --http1.0, $mode" "${h[@]}" --http1.0 -T "$file" http://holdfast/upload/b
    expect_upload "curl -T -, $mode" "${h[@]}" -T - http://holdfast/upload/c <"$file"
    expect_upload "curl that waits for no 100, $mode" "${h[@]}" -H 'Expect: 100-continue' \
        --expect100-timeout 0.001 -T "$file" http://holdfast/upload/d
    expect_upload "curl that waits long for 100, $mode" "${h[@]}" -H 'Expect: 100-continue' \
        --expect100-timeout 30 -T "$file" http://holdfast/upload/e
    form=$(request "${h[@]}" -F note=hello -F "file=@$file;type=application/octet-stream" \
        http://holdfast/upload/f | sed -nE 's/.*"bytes": ([0-9]+).*/\1/p')
    [ "$form" -gt "$(stat -c %s "$file")" ] || fail "a form, $mode: $form bytes"
done

if command -v python3 >/dev/null; then
    python3 - "$work/front.sock" "$file" "$file_sum" <<'PYTHON' || fail "python3 http.client"
import http.client, json, socket, sys
path, name, want = sys.argv[1:]
data = open(name, "rb").read()
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
c = Connection("holdfast")
for mode in "hold", "tee", "stream":  # one connection for all
    for body, chunked in (data, False), ((data[i:i + 70000] for i in range(0, len(data), 70000)), True):
        c.request("PUT", "/upload/p", body, {"X-Mode": mode}, encode_chunked=chunked)
        r = c.getresponse()
        assert r.status == 200 and json.load(r)["sha256"] == want, (mode, chunked)
    c.request("HEAD", "/bytes/1000", headers={"X-Mode": mode})
    r = c.getresponse()
    assert r.status == 200 and r.read() == b""
    c.request("GET", "/bytes/100000", headers={"X-Mode": mode})
    assert len(c.getresponse().read()) == 100000
PYTHON
else
    missing+=" python3"
fi

if command -v node >/dev/null; then
    node - "$work/front.sock" "$file" "$file_sum" <<'NODE' || fail "node http"
const http = require('http'), fs = require('fs');
const [socketPath, name, want] = process.argv.slice(2);
const data = fs.readFileSync(name);
const agent = new http.Agent({keepAlive: true, maxSockets: 1});
function put(mode, headers, send) {
    return new Promise((resolve, reject) => {
        const r = http.request({socketPath, agent, method: 'PUT', path: '/upload/n',
            headers: {host: 'holdfast', 'x-mode': mode, ...headers}}, (a) => {
            let text = '';
            a.on('data', (d) => { text += d; });
            a.on('end', () => a.statusCode === 200 && JSON.parse(text).sha256 === want
                ? resolve() : reject(new Error(`${mode} ${JSON.stringify(headers)}: ${a.statusCode} ${text}`)));
        });
        r.on('error', reject);
        send(r);
    });
}
(async () => {
    for (const mode of ['hold', 'tee', 'stream']) {
        await put(mode, {'content-length': data.length}, (r) => r.end(data));
        await put(mode, {}, (r) => fs.createReadStream(name).pipe(r));
        await put(mode, {expect: '100-continue', 'content-length': data.length},
            (r) => { r.flushHeaders(); r.on('continue', () => r.end(data)); });
    }
    process.exit(0);
})().catch((e) => { console.error(e); process.exit(1); });
NODE
else
    missing+=" node"
fi

stop holdfast
[ -z "$missing" ] || skip "there is no$missing; the others passed"
