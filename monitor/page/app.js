// The page: which view is shown, and the events that keep it live.
import { h, morph } from './dom.js';
import { clock } from './format.js';
import { node } from './node.js';
import { overview } from './overview.js';
import { room } from './room.js';
import { rooms } from './rooms.js';
import { transport } from './transport.js';

const RETRY_MS = 2000;
const SEARCH_MS = 40; // a search waits for the next key for so long

const main = document.getElementById('main');
const connection = document.getElementById('connection');

// Views by their name in the address: where they are in the menu, what stands above them at once, and what they ask the server for.
const views = {
	'': { name: 'overview', title: () => 'Overview', path: () => 'overview', draw: overview },
	rooms: { name: 'rooms', title: () => 'Rooms', path: (_, query) => `rooms?${query}`, draw: rooms },
	room: { name: 'rooms', title: parts => parts[2], id: true, path: ([application, tenant, router]) => `room?${new URLSearchParams({ application, tenant, router })}`, draw: room },
	transport: {
		name: 'rooms', title: parts => parts[4], id: true,
		path: ([name, application, tenant, router, id]) => `transport?${new URLSearchParams({ node: name, application, tenant, router, transport: id })}`,
		draw: transport,
	},
	node: { name: 'overview', title: ([name]) => name, path: ([name]) => `node?${new URLSearchParams({ node: name })}`, draw: node },
};

let source; // of events
let shown; // the view: its parts of the address, and the newest data
let timer;

// parse reads the address: #/view/part/part?query.
function parse() {
	const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
	const [name, ...parts] = path.split('/').map(decode);
	return { view: views[name] ?? views[''], parts, query: new URLSearchParams(query) };
}

function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text; // no address that this page has made
	}
}

function say(text, state) {
	connection.className = state;
	document.body.dataset.connection = state;
	if (connection.textContent !== text) {
		connection.textContent = text;
	}
}

// draw shows the newest data.
function draw() {
	if (!shown?.data) {
		return;
	}
	const next = h('main', { id: 'main', tabindex: -1 }, shown.view.draw(shown.data, { ...shown, width: main.clientWidth, redraw: draw, search }));
	morph(main, next);
	document.title = `${main.querySelector('h1')?.textContent ?? 'Overview'} – Gazpacho monitor`;
}

function fail(text) {
	document.title = 'Nothing to show – Gazpacho monitor';
	const notice = h('p', { class: 'notice bad', role: 'alert', 'data-key': 'notice' }, text.charAt(0).toUpperCase() + text.slice(1));
	if (shown?.data) {
		main.querySelector('.notice[data-key=notice]')?.remove();
		main.prepend(notice);
		return;
	}
	morph(main, h('main', { id: 'main', tabindex: -1 }, h('h1', {}, 'Nothing to show'), notice, h('p', {}, h('a', { href: '#/' }, 'To the overview'))));
}

// watch reads the events of the view in the address.
function watch() {
	source?.close();
	clearTimeout(timer);
	const path = shown.view.path(shown.parts, shown.query);
	const mine = new EventSource(`live/${path}`);
	source = mine;
	mine.onopen = () => say('Live', 'live');
	mine.onmessage = event => {
		if (mine !== source) {
			return; // of the view before
		}
		const { data, error } = JSON.parse(event.data);
		if (error) {
			fail(error);
			return;
		}
		shown.data = data;
		draw();
	};
	mine.onerror = () => {
		if (mine !== source) {
			return;
		}
		if (!connection.classList.contains('lost')) {
			say(`Not connected since ${clock(Date.now() / 1000)}`, 'lost');
		}
		if (mine.readyState === EventSource.CLOSED) {
			mine.close();
			timer = setTimeout(() => explain(path), RETRY_MS / 4);
		}
	};
}

// explain finds out why there are no events, and tries again unless the token is missing.
async function explain(path) {
	const answer = await fetch(`api/${path}`).catch(() => undefined);
	if (answer?.status === 401) {
		askForToken();
		return;
	}
	if (answer && !answer.ok && answer.status !== 404) {
		fail(await answer.text());
	}
	timer = setTimeout(watch, RETRY_MS);
}

function askForToken() {
	say('Token needed', 'lost');
	const problem = h('p', { class: 'bad', role: 'alert' });
	const form = h('form', {
		class: 'login',
		onsubmit: async event => {
			event.preventDefault();
			const answer = await fetch('login', { method: 'POST', body: new URLSearchParams(new FormData(event.target)) });
			if (answer.ok) {
				go();
				return;
			}
			problem.textContent = 'This is not the token.';
		},
	},
	h('h1', {}, 'Token'), h('p', {}, 'This monitor is for those who know its token: the first line of the file that ', h('code', {}, '--token-file'), ' named when it was started.'),
	h('label', { for: 'token' }, 'Token'), h('input', { id: 'token', name: 'token', type: 'password', autocomplete: 'current-password', required: true }),
	h('button', { type: 'submit', class: 'primary' }, 'Look'), problem);
	main.replaceChildren(form);
	form.querySelector('input').focus();
}

// search changes what the view in the address asks for, without a new entry in the browser's history.
function search(changes, soon) {
	const query = new URLSearchParams(shown.query);
	Object.entries(changes).forEach(([name, value]) => (value === '' ? query.delete(name) : query.set(name, value)));
	shown.query = query;
	history.replaceState(null, '', `${location.hash.split('?')[0]}${query.size > 0 ? `?${query}` : ''}`);
	clearTimeout(timer);
	timer = setTimeout(watch, soon ? SEARCH_MS : 0);
}

// go shows the view in the address.
function go() {
	const before = shown?.view;
	shown = parse();
	document.querySelectorAll('nav a').forEach(link => {
		if (link.dataset.view === shown.view.name) {
			link.setAttribute('aria-current', 'page');
		} else {
			link.removeAttribute('aria-current');
		}
	});
	main.replaceChildren(h('h1', { class: shown.view.id ? 'id' : undefined }, shown.view.title(shown.parts)), h('p', { class: 'quiet' }, 'Loading…'));
	if (before) {
		window.scrollTo(0, 0);
		main.focus({ preventScroll: true });
	}
	watch();
}

// The theme is the system's, unless one is chosen here.
const THEMES = ['system', 'light', 'dark'];
const button = document.getElementById('theme');

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
	button.replaceChildren(h('span', {}, 'Theme: '), theme);
	button.setAttribute('aria-label', `Theme: ${theme}`);
}

// saved reads or keeps the theme, in browsers that keep something for this page.
function saved(theme) {
	try {
		if (theme) {
			localStorage.setItem('theme', theme);
		}
		return localStorage.getItem('theme');
	} catch {
		return null;
	}
}

button.onclick = () => {
	const theme = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
	setTheme(theme);
	saved(theme);
};
setTheme(THEMES.find(theme => theme === saved()) ?? THEMES[0]);
window.addEventListener('hashchange', go);
new ResizeObserver(() => draw()).observe(main);
go();
