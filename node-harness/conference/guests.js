// GUESTS=8 fills a room: people who are not there, with moving pictures made by ffmpeg, so that one can see a full room by oneself.
// They come in over plain RTP; what receives them notices no difference.
import { randomUUID } from 'node:crypto';
import { Peer } from './server/peer.js';
import { start } from '../lib/processes.js';

const NAMES = [
	'Ada Lovelace', 'Grace Hopper', 'Alan Turing', 'Edsger Dijkstra', 'Barbara Liskov', 'Donald Knuth', 'Radia Perlman', 'Ken Thompson',
	'Frances Allen', 'Niklaus Wirth', 'Hedy Lamarr', 'Claude Shannon', 'Karen Spärck Jones', 'Tony Hoare', 'Vint Cerf',
];
const PALETTE = ['e3b9a0', '8fb8a8', '9fb4d6', 'd8c58e', 'c9a3c4', 'a8c686', 'e0a9a9', '92c1c9'];
const PAYLOAD_TYPE = 101;

// In a cluster, the node's address takes the place of this one, which stands for any.
const listen = () => ({ listenInfo: { protocol: 'udp', ip: process.env.GAZPACHO_CLUSTER ? '0.0.0.0' : '127.0.0.1' } });

// Guest is a peer whose sending transport is plain.
class Guest extends Peer {
	async open(webRtcServer) {
		await super.open(webRtcServer);
		this.send.close();
		this.send = await this.room.router.createPlainTransport({ ...listen(), comedia: true, rtcpMux: true });
	}

	async show(i) {
		const ssrc = 1000 + i;
		const codecs = [{ mimeType: 'video/VP8', clockRate: 90000, payloadType: PAYLOAD_TYPE }];
		const { localAddress, localPort } = this.send.tuple;
		await this.produce({ source: 'camera', rtpParameters: { codecs, encodings: [{ ssrc }] } });
		this.sender = sendPicture(i, `rtp://${localAddress}:${localPort}`, ssrc);
	}

	close() {
		this.sender?.child.kill('SIGKILL');
		super.close();
	}
}

// portrait draws head and shoulders once, and lets them sway before colours that flow.
function portrait(i) {
	const colour = step => `0x${PALETTE[(i + step) % PALETTE.length]}`;
	const person = 'max(clip(34-hypot(X-160,Y-78),0,1),clip(72-hypot((X-160)*0.85,Y-188),0,1))';
	return [
		`gradients=size=80x46:rate=15:c0=${colour(0)}:c1=${colour(3)}:n=2:speed=0.02:seed=${i + 1},format=yuv420p,scale=320:180[back]`,
		`color=c=${colour(5)}:size=320x180:rate=15,format=rgba,trim=end_frame=1,geq=r='r(X,Y)*0.55':g='g(X,Y)*0.55':b='b(X,Y)*0.6':a='255*${person}'`
			+ ',format=yuva420p,loop=loop=-1:size=1,setpts=N/15/TB[person]',
		`[back][person]overlay=x='5*sin(t*0.9+${i})':y='5+2*sin(t*1.7+${i})'`,
	].join(';');
}

// sendPicture takes two per cent of a core; with more threads than one, ten times that.
function sendPicture(i, url, ssrc) {
	return start('ffmpeg', [
		'-hide_banner', '-loglevel', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', portrait(i),
		'-c:v', 'libvpx', '-b:v', '250k', '-deadline', 'realtime', '-cpu-used', '8', '-threads', '1', '-g', '30', '-pix_fmt', 'yuv420p',
		'-f', 'rtp', '-ssrc', String(ssrc), '-payload_type', String(PAYLOAD_TYPE), `${url}?pkt_size=1200`,
	]);
}

// addGuests has as many guests enter a room, and returns them. Every third one has no camera.
export async function addGuests(rooms, room, count) {
	const guests = [];
	for (let i = 0; i < Math.min(count, NAMES.length); i++) {
		const guest = await rooms.enter({ room, Kind: Guest, name: NAMES[i], tab: randomUUID(), notify: () => {}, hangUp: () => {} });
		if (i % 3 !== 2) {
			await guest.show(i);
		}
		guests.push(guest);
	}
	return guests;
}
