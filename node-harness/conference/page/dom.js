// A little help with elements. Text always becomes text nodes, so that names and messages of others cannot become markup.

// el makes an element. Properties are set as such; those that an element does not have become attributes.
export function el(tag, properties = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name in element) {
			element[name] = value;
		} else {
			element.setAttribute(name, value);
		}
	}
	element.append(...children);
	return element;
}

export const byId = id => document.getElementById(id);

const SVG = 'http://www.w3.org/2000/svg';

export function svg(tag, attributes = {}, ...children) {
	const element = document.createElementNS(SVG, tag);
	Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
	element.append(...children);
	return element;
}

// Lines of 24 by 24.
const ICONS = {
	microphone: 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4',
	camera: 'M3 7h12v10H3zM15 11l6-4v10l-6-4',
	screen: 'M3 5h18v11H3zM9 20h6M12 13V8M9.5 10.5 12 8l2.5 2.5',
	chat: 'M4 5h16v11H10l-4 4v-4H4z',
	figures: 'M4 20V4M4 20h16M8 16l4-5 3 3 5-7',
	leave: 'M3.500 15.500c-.8-1.400-.6-3 .8-3.900 4.600-3 10.800-3 15.400 0 1.400.9 1.600 2.500.8 3.900l-4.300-.9-.6-2.600c-2.400-.6-4.800-.6-7.200 0l-.6 2.600z',
	sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500 19 19M5 19l1.500-1.500M17.500 6.500 19 5',
	moon: 'M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z',
	link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1.500 1.500M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1.500-1.500',
	close: 'M6 6l12 12M18 6 6 18',
	send: 'M4 12 20 4l-5 16-3-7z',
};

export function icon(name, { off = false } = {}) {
	const shape = svg('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, svg('path', { d: ICONS[name] }));
	if (off) {
		shape.append(svg('path', { d: 'M4 4l16 16' }));
	}
	return shape;
}

// label sets what a button shows and is called.
export function label(button, name, text, { off, key } = {}) {
	button.replaceChildren(icon(name, { off }));
	button.setAttribute('aria-label', text);
	button.title = key ? `${text} (${key.toUpperCase()})` : text;
	if (key) {
		button.setAttribute('aria-keyshortcuts', key);
	}
}

export const announce = text => (byId('news').textContent = text);
