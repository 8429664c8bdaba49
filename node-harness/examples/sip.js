// Calls a telephone by SIP and joins its sound to a room, in both directions. The phone is sipp, which plays back what it hears;
// ffmpeg's tone stands for the room's people. Only mediasoup's public API is used.
//
// A Producer has to know the SSRC that its packets will have, and a phone does not say which it will send. So the phone sends to a small
// relay of this process, which writes the Producer's SSRC into each packet: 50 packets a second a call. RTCP is left out: G.711 needs none.
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import { freePortPairs, untilListening } from '../demo/ffmpeg.js';
import { start } from '../lib/processes.js';
import { until, within } from '../lib/wait.js';

const SECONDS = 5;
const IP = '127.0.0.1';
const LISTEN = { listenInfo: { protocol: 'udp', ip: IP } };
const PCMU = { mimeType: 'audio/PCMU', clockRate: 8000, payloadType: 0 }; // RFC 3551 gives it this number
const rtpParameters = ssrc => ({ codecs: [PCMU], encodings: [{ ssrc }] });

async function openSocket() {
	const socket = dgram.createSocket('udp4').bind(0, IP);
	await once(socket, 'listening');
	return socket;
}

// Relay is between a phone and a PlainTransport. The phone is told its port.
class Relay {
	static async open(transport, ssrc) {
		const relay = new Relay();
		relay.phoneSide = await openSocket();
		relay.roomSide = await openSocket();
		relay.port = relay.phoneSide.address().port;
		await transport.connect({ ip: IP, port: relay.roomSide.address().port });
		relay.phoneSide.on('message', packet => {
			if (packet.length >= 12 && packet[0] >> 6 === 2 && (packet[1] & 0x7f) === PCMU.payloadType) {
				packet.writeUInt32BE(ssrc, 8);
				relay.roomSide.send(packet, transport.tuple.localPort, IP);
			}
		});
		relay.roomSide.on('message', packet => relay.phone && relay.phoneSide.send(packet, relay.phone.port, relay.phone.ip));
		return relay;
	}

	close() {
		this.phoneSide.close();
		this.roomSide.close();
	}
}

// Call is as much of SIP (RFC 3261) as an example needs: INVITE, ACK and BYE over UDP, without authentication or redirection.
class Call {
	static async dial(port, mediaPort) {
		const call = new Call();
		call.socket = await openSocket();
		call.port = port;
		call.own = `${IP}:${call.socket.address().port}`;
		call.to = `<sip:phone@${IP}:${port}>`;
		call.id = crypto.randomUUID();
		const offer = [
			'v=0', `o=- 1 1 IN IP4 ${IP}`, 's=room', `c=IN IP4 ${IP}`, 't=0 0', `m=audio ${mediaPort} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000', '',
		].join('\r\n');
		const answer = await call.request('INVITE', 1, offer);
		call.to = /^To: *(.*)$/im.exec(answer)[1]; // with the phone's tag
		call.send('ACK', 1);
		return { call, phone: { ip: /^c=IN IP4 (\S+)/m.exec(answer)[1], port: Number(/^m=audio (\d+)/m.exec(answer)[1]) } };
	}

	send(method, number, body = '') {
		this.socket.send([
			`${method} sip:phone@${IP}:${this.port} SIP/2.0`, `Via: SIP/2.0/UDP ${this.own};branch=z9hG4bK${crypto.randomUUID()}`,
			`From: <sip:room@${this.own}>;tag=room`, `To: ${this.to}`, `Call-ID: ${this.id}`, `CSeq: ${number} ${method}`,
			`Contact: <sip:room@${this.own}>`, 'Max-Forwards: 70', 'Content-Type: application/sdp', `Content-Length: ${body.length}`, '', body,
		].join('\r\n'), this.port, IP);
	}

	// request resolves with the final answer, which has to be 200.
	request(method, number, body) {
		const answered = new Promise((resolve, reject) => {
			this.socket.on('message', message => {
				const [, status] = /^SIP\/2\.0 (\d+)/.exec(message) ?? [];
				if (status === '200' && String(message).includes(`${number} ${method}`)) {
					resolve(String(message));
				} else if (status >= 300) {
					reject(new Error(`the phone refuses: ${status}`));
				}
			});
		});
		this.send(method, number, body);
		return within(`the phone answers ${method}`, answered);
	}

	async hangUp() {
		await this.request('BYE', 2);
		this.socket.close();
	}
}

const worker = await mediasoup.createWorker();
const router = await worker.createRouter({ mediaCodecs: [{ kind: 'audio', ...PCMU, preferredPayloadType: 0 }] });

// The room: somebody who sends a tone.
const person = await router.createPlainTransport({ ...LISTEN, comedia: true });
const voice = await person.produce({ kind: 'audio', rtpParameters: rtpParameters(1111) });

// The phone: it hears that person, and the room may consume what it says.
const [sipPort, mediaPort] = (await freePortPairs(2));
const phone = start('sipp', ['-sn', 'uas', '-i', IP, '-p', String(sipPort), '-mi', IP, '-mp', String(mediaPort), '-rtp_echo', '-m', '1', '-nostdin']);
await untilListening('sipp', phone, [sipPort]);
const transport = await router.createPlainTransport(LISTEN);
const said = await transport.produce({ kind: 'audio', rtpParameters: rtpParameters(2222) });
const relay = await Relay.open(transport, 2222);
const dialled = await Call.dial(sipPort, relay.port);
relay.phone = dialled.phone;
const heard = await transport.consume({ producerId: voice.id, rtpCapabilities: router.rtpCapabilities });

const speech = start('ffmpeg', [
	'-loglevel', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=8000', '-t', String(SECONDS),
	'-c:a', 'pcm_mulaw', '-f', 'rtp', '-ssrc', '1111', `rtp://${IP}:${person.tuple.localPort}`,
]);
const sent = await within('the tone has ended', speech.done, SECONDS * 1000 + 60_000);

const packets = object => object.getStats().then(stats => stats.find(s => s.type.endsWith('bound-rtp'))?.packetCount ?? 0);
const counts = await until('the phone has sent back what it heard', async () => {
	const [toPhone, fromPhone] = [await packets(heard), await packets(said)];
	return toPhone > 0 && fromPhone === toPhone && { toPhone, fromPhone };
});
await dialled.call.hangUp();
console.log(`the phone heard ${counts.toPhone} packets of the room, and the room ${counts.fromPhone} of the phone`);
relay.close();
worker.close();
if (sent.code !== 0) {
	console.error(speech.output());
	process.exitCode = 1;
}
