// upload-server for Node.js - the same as server.c, with nothing but Node's own modules.
//
//     node server.js --listen 127.0.0.1:3000 [--unix PATH] [--directory DIR]
//
//     PUT, POST /upload/NAME   200 and {"bytes": N, "sha256": "..."}, computed as the bytes arrive
//     GET /health              200
//     GET /small               128 bytes
//     GET /bytes/N             N bytes
//
// Nothing is stored without --directory. With it a body is written beside its name and renamed when it
// is complete, so a proxy may send the same upload again.

'use strict';

const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');
const { pipeline, Transform, Writable } = require('stream');
const { parseArgs } = require('util');

const { values: options } = parseArgs({
    options: {
        listen: { type: 'string' },
        unix: { type: 'string' },
        directory: { type: 'string' },
    },
});

const lastSegment = (target) => target.slice(target.lastIndexOf('/') + 1);
const isPlainName = (name) => /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,126}$/.test(name);

function answer(response, status, type, body) {
    response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
}

function report(name, what, bytes) {
    const now = new Date().toTimeString().slice(0, 8);

    process.stderr.write(`${now} ${name}: ${what} after ${bytes} bytes\n`);
}

// Where the bytes of an upload go: a file beside its name, or nowhere.
function openStore(temporary) {
    if (temporary === null)
        return new Writable({ write: (piece, encoding, done) => done() });
    return fs.createWriteStream(temporary, { flags: 'wx', mode: 0o600 });
}

function serveUpload(request, response, name) {
    const stored = options.directory === undefined ? null : path.join(options.directory, name);
    const temporary = stored === null ? null : `${stored}.${crypto.randomUUID()}`;
    const digest = crypto.createHash('sha256');
    let bytes = 0;
    const count = new Transform({
        transform(piece, encoding, done) {
            bytes += piece.length;
            digest.update(piece);
            done(null, piece);
        },
    });

    pipeline(request, count, openStore(temporary), (error) => {
        if (error) {
            report(name, request.readableAborted ? 'broken off by the client' : error.message, bytes);
            if (temporary !== null)
                fs.rmSync(temporary, { force: true });
            if (!request.readableAborted && !response.destroyed)
                answer(response, 500, 'text/plain', 'the upload cannot be stored\n');
            return;
        }
        if (temporary !== null)
            fs.renameSync(temporary, stored);
        report(name, 'complete', bytes);
        answer(response, 200, 'application/json',
            `{"bytes": ${bytes}, "sha256": "${digest.digest('hex')}"}\n`);
    });
}

function serveGet(request, response) {
    const wanted = /^\/bytes\/([0-9]{1,9})$/.exec(request.url);

    request.resume();
    if (request.url === '/health')
        answer(response, 200, 'text/plain', 'healthy\n');
    else if (request.url === '/small')
        answer(response, 200, 'application/octet-stream', 'a'.repeat(128));
    else if (wanted !== null)
        answer(response, 200, 'application/octet-stream', Buffer.alloc(Number(wanted[1]), 'a'));
    else
        answer(response, 404, 'text/plain', 'not here\n');
}

function serve(request, response) {
    const name = lastSegment(request.url);

    if (request.method === 'GET' || request.method === 'HEAD') {
        serveGet(request, response);
    } else if (request.method !== 'PUT' && request.method !== 'POST') {
        request.resume();
        answer(response, 405, 'text/plain', 'PUT, POST or GET\n');
    } else if (!isPlainName(name)) {
        request.resume();
        answer(response, 400, 'text/plain', 'not a plain name\n');
    } else {
        serveUpload(request, response, name);
    }
}

function listen(where, describe) {
    // A long upload is no attack: the proxy in front guards against slow clients.
    const server = http.createServer({ requestTimeout: 0 }, serve);

    server.listen(where, () => console.log(`listening on ${describe(server.address())}`));
}

if (options.listen === undefined && options.unix === undefined) {
    console.error('usage: node server.js --listen ADDRESS:PORT [--unix PATH] [--directory DIR]');
    process.exit(2);
}
if (options.directory !== undefined)
    fs.mkdirSync(options.directory, { recursive: true, mode: 0o700 });
if (options.listen !== undefined) {
    const [, host, port] = /^(.*):([0-9]+)$/.exec(options.listen);

    listen({ host, port: Number(port) }, (address) => `${address.address}:${address.port}`);
}
if (options.unix !== undefined) {
    fs.rmSync(options.unix, { force: true });
    listen({ path: options.unix }, (address) => `unix@${address}`);
}
