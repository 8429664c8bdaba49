// The demo's use of ffmpeg: send a test picture and a tone as RTP, record RTP, count decoded frames.
import * as dgram from 'node:dgram';
import * as fs from 'node:fs';
import { run, start } from '../lib/processes.js';
import { until } from '../lib/wait.js';

export const VIDEO = { payloadType: 101, ssrc: 22222222, rate: 30 };
export const AUDIO = { payloadType: 100, ssrc: 11111111 };

// startSender sends VP8 and Opus for the given time; video and audio are the destinations, { ip, port, rtcpPort }.
export function startSender({ seconds, video, audio }) {
	const url = to => `rtp://${to.ip}:${to.port}?rtcpport=${to.rtcpPort}&pkt_size=1200`;
	const output = (select, { ssrc, payloadType }, to) =>
		`[select=${select}:f=rtp:ssrc=${ssrc}:payload_type=${payloadType}]${url(to)}`;
	return start('ffmpeg', [
		'-hide_banner', '-loglevel', 'error', '-nostdin', '-progress', 'pipe:1',
		'-re', '-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=${VIDEO.rate}`,
		'-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
		'-t', String(seconds), '-map', '0:v', '-map', '1:a',
		'-c:v', 'libvpx', '-b:v', '1000k', '-deadline', 'realtime', '-cpu-used', '8', '-g', String(VIDEO.rate),
		'-pix_fmt', 'yuv420p', '-c:a', 'libopus', '-b:a', '64k', '-ac', '2', '-ar', '48000',
		'-f', 'tee', `${output('v', VIDEO, video)}|${output('a', AUDIO, audio)}`,
	]);
}

// sdp describes the media for a recorder. With srtpKey (base64 of key and salt) they are encrypted with
// AES_CM_128_HMAC_SHA1_80, which ffmpeg supports.
function sdp({ video, audio, srtpKey }) {
	const profile = srtpKey ? 'RTP/SAVP' : 'RTP/AVP';
	const media = (kind, { port, payloadType }, rtpmap) => [
		`m=${kind} ${port} ${profile} ${payloadType}`,
		`a=rtcp:${port + 1}`,
		`a=rtpmap:${payloadType} ${rtpmap}`,
		...(srtpKey ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${srtpKey[kind]}`] : []),
	];
	return [
		'v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=gazpacho demo', 'c=IN IP4 127.0.0.1', 't=0 0',
		...media('video', video, 'VP8/90000'),
		...media('audio', audio, 'opus/48000/2'),
		'',
	].join('\r\n');
}

// startRecorder records the media of the SDP to file and resolves when ffmpeg listens on all ports.
// video and audio are { port, payloadType }; RTCP arrives at port + 1.
export async function startRecorder({ file, video, audio, srtpKey }) {
	const sdpFile = `${file}.sdp`;
	fs.writeFileSync(sdpFile, sdp({ video, audio, srtpKey }));
	const recorder = start('ffmpeg', [
		'-hide_banner', '-loglevel', 'error', '-progress', 'pipe:1', '-y',
		'-protocol_whitelist', 'file,crypto,udp,rtp,srtp', '-buffer_size', '4194304', '-reorder_queue_size', '500',
		'-i', sdpFile, '-map', '0:v', '-map', '0:a', '-c', 'copy', file,
	]);
	const ports = [video, audio].flatMap(({ port }) => [port, port + 1]);
	await untilListening('ffmpeg', recorder, ports);
	// Everything received has been read.
	recorder.idle = () => {
		const waiting = boundPorts();
		return ports.every(port => !waiting.get(port));
	};
	return recorder;
}

// untilListening waits until all UDP ports are bound, which a process of start() is to do.
export function untilListening(name, process, ports) {
	return until(`${name} listens on UDP ports ${ports.join(', ')}`, () => {
		if (process.child.exitCode !== null) {
			throw new Error(`${name} ended early:\n${process.output()}`);
		}
		const bound = boundPorts();
		return ports.every(port => bound.has(port));
	});
}

// stopRecorder lets ffmpeg finish its file. SIGINT ends a read that waits for packets; ffmpeg then exits with code 255.
export async function stopRecorder(recorder) {
	recorder.child.kill('SIGINT');
	const { code } = await recorder.done;
	if (code !== 0 && code !== 255) {
		throw new Error(`ffmpeg could not finish the recording (${code}):\n${recorder.output()}`);
	}
}

// progress returns the last value of a field in ffmpeg's -progress output as a number, or 0.
export function progress({ output }, field) {
	const values = [...output().matchAll(new RegExp(`^${field}=(\\d+)`, 'gm'))];
	return Number(values.at(-1)?.[1] ?? 0);
}

// countDecoded decodes a recording and returns the number of video and audio frames, and the decoder's errors.
export async function countDecoded(file) {
	const count = async stream => {
		const output = await run('ffprobe', [
			'-loglevel', 'quiet', '-count_frames', '-select_streams', stream,
			'-show_entries', 'stream=nb_read_frames', '-of', 'csv=p=0', file,
		]);
		return Number.parseInt(output, 10);
	};
	const complaints = await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-i', file, '-f', 'null', '-']);
	return {
		video: await count('v:0'),
		audio: await count('a:0'),
		// Messages of the null muxer about timestamps, which recordings round to milliseconds, are not decoding errors.
		errors: complaints.split('\n').filter(line => line.trim() && !/^\[null @|^ *Last message repeated/.test(line)),
	};
}

export async function extractFrame(file, second, picture) {
	await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', '-ss', String(second), '-i', file, '-frames:v', '1', picture]);
}

// boundPorts returns the UDP ports (IPv4 and IPv6) in use on this machine, each with the number of bytes waiting to be read.
function boundPorts() {
	const ports = new Map();
	for (const table of ['/proc/net/udp', '/proc/net/udp6']) {
		if (!fs.existsSync(table)) {
			continue;
		}
		for (const line of fs.readFileSync(table, 'utf8').split('\n').slice(1)) {
			const [, local, , , queues] = line.trim().split(/\s+/);
			if (local) {
				const port = Number.parseInt(local.split(':')[1], 16);
				ports.set(port, (ports.get(port) ?? 0) + Number.parseInt(queues.split(':')[1], 16));
			}
		}
	}
	return ports;
}

// freePortPairs returns count even ports whose successor is free too, as usual for RTP and RTCP.
export async function freePortPairs(count) {
	const bound = boundPorts();
	const found = [];
	while (found.length < count) {
		const port = await someFreePort();
		const even = port - (port % 2);
		if (!bound.has(even) && !bound.has(even + 1)) {
			bound.set(even, 0).set(even + 1, 0);
			found.push(even);
		}
	}
	return found;
}

function someFreePort() {
	return new Promise((resolve, reject) => {
		const socket = dgram.createSocket('udp4');
		socket.once('error', reject);
		socket.bind(0, '127.0.0.1', () => {
			const { port } = socket.address();
			socket.close(() => resolve(port));
		});
	});
}
