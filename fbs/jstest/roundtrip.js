// Reads frames from stdin with mediasoup's own generated classes and answers each with a line of JSON: the message as an
// object, and the same message written again by those classes, in base64.
//
// usage: node roundtrip.js <folder of the mediasoup package>
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const packageDir = path.resolve(process.argv[2]);
const flatbuffers = require(require.resolve('flatbuffers', { paths: [packageDir] }));
const { Message } = require(path.join(packageDir, 'node/lib/fbs/message.js'));

const input = fs.readFileSync(0);
const lines = [];

for (let at = 0; at < input.length;) {
	const length = input.readUInt32LE(at);
	const payload = new Uint8Array(input.subarray(at + 4, at + 4 + length));
	at += 4 + length;

	const message = Message.getRootAsMessage(new flatbuffers.ByteBuffer(payload)).unpack();
	const builder = new flatbuffers.Builder(1024);
	builder.finishSizePrefixed(message.pack(builder));
	const frame = Buffer.from(builder.asUint8Array()).toString('base64');
	// Numbers of 64 bits are BigInts, which JSON does not have.
	lines.push(JSON.stringify({ message, frame }, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
}

process.stdout.write(lines.join('\n') + '\n');
