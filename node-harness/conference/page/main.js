// The page: puts the parts together, and joins again when a call has broken.
import { Call } from './call.js';
import { Chat } from './chat.js';
import { choiceOf } from './controls.js';
import { explain } from './devices.js';
import { announce, byId, el, label } from './dom.js';
import { layerFor, possible } from './layers.js';
import { Lobby } from './lobby.js';
import { Local } from './local.js';
import { Monitor } from './monitor.js';
import { Panel } from './panel.js';
import { People } from './people.js';
import { Stage } from './stage.js';
import { themeButton } from './theme.js';
import { Toolbar } from './toolbar.js';

const FIRST_RETRY_MS = 300;
const LAST_RETRY_MS = 4000;
const BANNER_MS = 5000;
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// By this the server knows a page that comes back. Only this page has it, and a reloaded one is another one.
const tab = crypto.randomUUID();

let who; // { name, room }, as long as this person wants to be in a room
let call; // the present one, also while it begins
let monitor; // once it has begun
let panel;

const local = new Local({
	onChange: showOwn,
	onTrouble: (source, error) => !(source === 'screen' && error.name === 'NotAllowedError') && tell(explain(source, error)),
});
const stage = new Stage();
const people = new People({ stage, onFigures: id => (panel?.peer.id === id ? closeSide() : openPanel(id)) });
const lobby = new Lobby({ local, onJoin: join });
const toolbar = new Toolbar({
	microphone: () => local.toggle('microphone'),
	camera: () => local.toggle('camera'),
	screen: () => local.toggle('screen'),
	chat: () => (chat.element.isConnected ? closeSide() : openChat()),
	figures: () => (panel ? closeSide() : openPanel(call?.self?.id)),
	leave,
});
const chat = new Chat({
	onClose: closeSide,
	onUnread: unread => toolbar.setUnread(unread),
	onSay: text => {
		if (!monitor) {
			return false; // it stays in the field until there is a call again
		}
		call.say(text);
		chat.add({ text, own: true });
		return true;
	},
});

async function join(wanted) {
	who = wanted;
	lobby.tell('');
	lobby.setBusy(true);
	try {
		await connect();
		history.replaceState(null, '', `/${who.room}`);
	} catch (error) {
		backToLobby(error.message);
	}
	lobby.setBusy(false);
}

// connect makes a call and sends what there is to send. It resolves when that works.
async function connect() {
	const mine = new Call((event, data) => mine === call && handle(event, data));
	call = mine;
	await mine.join({ ...who, tab });
	await local.attach(mine);
	if (mine.over) {
		throw new Error('the connection is lost');
	}
	monitor = new Monitor(mine, { onSample: sampled });
	byId('room').ariaBusy = 'false';
}

// reconnect tries until there is a call again, the server says that there is no use, or the person leaves.
async function reconnect() {
	dropCall();
	tell('Connection lost. Trying again…', { stays: true });
	const wanted = who;
	for (let wait = FIRST_RETRY_MS; ; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
		await sleep(wait);
		if (who !== wanted) {
			return;
		}
		try {
			await connect();
			byId('banner').hidden = true;
			announce('Connected again');
			return;
		} catch (error) {
			dropCall();
			if (error.refused) {
				backToLobby(error.message);
			}
		}
	}
}

function dropCall() {
	call = undefined;
	monitor?.stop();
	monitor = undefined;
	local.detach();
	people.hide();
	if (panel) {
		closeSide();
	}
}

function handle(event, data) {
	switch (event) {
		case 'joined':
			showRoom();
			people.begin(call);
			showOwn();
			break;
		case 'ended':
			if (monitor) { // else it ended while it began, and who began it knows
				reconnect();
			}
			break;
		case 'peerJoined':
			people.joined(data);
			break;
		case 'peerLeft':
			people.left(data.id);
			if (panel?.peer.id === data.id) {
				closeSide();
			}
			break;
		case 'stream':
		case 'streamChanged':
			people.showStream(data, nameOf(data));
			break;
		case 'streamEnded':
			people.showStream(data, { ...nameOf(data), ended: true });
			break;
		case 'speaking':
			people.speaking(data.peers);
			break;
		case 'dominant':
			people.dominant(data.peerId);
			break;
		case 'chat':
			chat.add(data);
			if (!chat.element.isConnected) {
				announce(`${data.name} writes: ${data.text}`);
			}
			break;
	}
}

const nameOf = ({ peerId }) => ({ name: call.peers.get(peerId)?.name ?? '' });

function showRoom() {
	byId('lobby').hidden = true;
	byId('room').hidden = false;
	byId('room').ariaBusy = 'true'; // until this person can be seen and heard
	byId('title').textContent = who.room;
	document.title = `${who.room} – Conference`;
}

function backToLobby(trouble) {
	who = undefined;
	dropCall();
	byId('room').hidden = true;
	byId('banner').hidden = true;
	byId('lobby').hidden = false;
	document.title = 'Conference';
	lobby.tell(trouble);
	lobby.show();
}

function leave() {
	call?.leave();
	local.stopAll();
	backToLobby('');
	byId('join-button').focus();
}

function showOwn() {
	lobby.show();
	toolbar.show(local);
	people.showOwn(local.tracks, local.muted || !local.tracks.microphone);
}

// sampled: once a second, after the monitor has measured.
function sampled() {
	for (const stream of call.streams.values()) {
		const figures = monitor.streams.get(stream.id);
		if (stream.consumer?.kind === 'video') {
			people.tileOf(stream)?.setSize(figures?.width && !stream.paused ? `${figures.height}p` : '');
			preferBySize(stream, figures);
		}
	}
	panel?.show(monitor);
}

// preferBySize asks for no larger picture than the tile shows. Just after a change of layers, the picture may still be that of before.
function preferBySize(stream, figures) {
	const choice = choiceOf(stream);
	const { spatial } = possible(stream.consumer.rtpParameters);
	const settled = stream.seenLayers === stream.layers;
	stream.seenLayers = stream.layers;
	if (!choice.automatic || spatial === 1 || !settled) {
		return;
	}
	const tileWidth = (people.tileOf(stream)?.element.clientWidth ?? 0) * devicePixelRatio;
	const layer = layerFor({ tileWidth, frameWidth: figures?.width, current: stream.layers?.spatialLayer, count: spatial });
	if (layer !== choice.spatialLayer) {
		choice.spatialLayer = layer;
		prefer(stream);
	}
}

// prefer tells the server what is preferred of a stream. That a stream has just ended is no trouble.
function prefer({ id, choice: { spatialLayer, temporalLayer } }) {
	call.request('setPreferredLayers', { id, spatialLayer, temporalLayer }).catch(() => {});
}

function prioritize({ id, choice: { priority } }) {
	call.request('setPriority', { id, priority }).catch(() => {});
}

function openSide(element) {
	byId('side').replaceChildren(element);
	byId('side').hidden = false;
	byId('room').classList.add('aside');
	toolbar.setOpen({ chat: chat.element.isConnected, figures: Boolean(panel) });
}

function closeSide() {
	const opener = panel && people.tileOfId(panel.peer.id)?.button;
	panel = undefined;
	monitor?.watch(undefined);
	byId('side').replaceChildren();
	byId('side').hidden = true;
	byId('room').classList.remove('aside');
	toolbar.setOpen({});
	opener?.focus();
}

function openChat() {
	panel = undefined;
	monitor?.watch(undefined);
	openSide(chat.element);
	chat.opened();
}

function openPanel(id) {
	if (!monitor) {
		return;
	}
	const isOwn = id === call.self.id;
	panel = new Panel({ peer: isOwn ? call.self : call.peers.get(id), call, isOwn, onClose: closeSide, onPrefer: prefer, onPriority: prioritize });
	monitor.watch(id);
	panel.show(monitor);
	openSide(panel.element);
	panel.close.focus();
}

// tell shows a line at the top for a while, or in the lobby for as long as that is shown.
function tell(text, { stays = false } = {}) {
	if (!byId('lobby').hidden) {
		lobby.add(text);
		return;
	}
	const banner = byId('banner');
	banner.textContent = text;
	banner.hidden = false;
	if (!stays) {
		setTimeout(() => banner.textContent === text && (banner.hidden = true), BANNER_MS);
	}
}

themeButton(byId('theme'));
label(byId('copy'), 'link', 'Copy the link to this room');
byId('copy').append(el('span', {}, 'Copy link'));
byId('copy').addEventListener('click', () => navigator.clipboard.writeText(location.href).then(() => tell('The link is copied.'), () => tell(location.href)));
addEventListener('keydown', ({ key }) => key === 'Escape' && !byId('side').hidden && closeSide());
addEventListener('pagehide', () => call?.leave());
showOwn();
await local.toggle('camera');
await local.toggle('microphone');
