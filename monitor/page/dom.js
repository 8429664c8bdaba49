// Building and updating the document. Text from outside only ever becomes text nodes and attribute values, never markup.

const SVG = 'http://www.w3.org/2000/svg';
const HANDLERS = ['onclick', 'oninput', 'onchange', 'onkeydown', 'onpointermove', 'onpointerleave', 'onsubmit', 'onblur'];

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false) {
			continue;
		}
		if (HANDLERS.includes(name)) {
			element[name] = value;
		} else if (name === 'style') {
			Object.entries(value).forEach(([property, text]) => element.style.setProperty(property, text));
		} else {
			element.setAttribute(name, value === true ? '' : value);
		}
	}
	element.append(...children.flat(Infinity).filter(child => child !== undefined && child !== null && child !== false));
	return element;
}

// h makes an element of HTML, s one of SVG. Children are elements, text, or lists of these; what is missing is left out.
export const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const s = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

const keyOf = node => (node.nodeType === Node.ELEMENT_NODE ? node.getAttribute('data-key') : null);
const alike = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

// morph makes one element like another one, and keeps what is the same: focus, selection and what readers have read stay where they are.
export function morph(from, to) {
	if (from.nodeType !== Node.ELEMENT_NODE) {
		if (from.data !== to.data) {
			from.data = to.data;
		}
		return;
	}
	morphAttributes(from, to);
	morphChildren(from, to);
}

function morphAttributes(from, to) {
	for (const name of from.getAttributeNames()) {
		if (!to.hasAttribute(name) && !(name === 'open' && from.nodeName === 'DETAILS')) {
			from.removeAttribute(name);
		}
	}
	for (const name of to.getAttributeNames()) {
		const value = to.getAttribute(name);
		if (name === 'style') {
			from.style.cssText = to.style.cssText; // not the attribute, which the page's policy forbids
		} else if (from.getAttribute(name) !== value && !(name === 'open' && from.nodeName === 'DETAILS')) {
			from.setAttribute(name, value);
		}
	}
	HANDLERS.forEach(name => (from[name] = to[name]));
	if (from.nodeName === 'INPUT' && from !== document.activeElement) {
		from.value = to.value;
	}
}

function morphChildren(from, to) {
	const keyed = new Map([...from.childNodes].filter(keyOf).map(node => [keyOf(node), node]));
	let place = from.firstChild;
	for (const wanted of [...to.childNodes]) {
		const key = keyOf(wanted);
		let have = key ? keyed.get(key) : place;
		if (have && !key && keyOf(have)) {
			have = undefined;
		}
		if (!have || !alike(have, wanted)) {
			from.insertBefore(wanted, place);
			continue;
		}
		if (have === place) {
			place = place.nextSibling;
		} else {
			from.insertBefore(have, place);
		}
		morph(have, wanted);
	}
	while (place) {
		const next = place.nextSibling;
		place.remove();
		place = next;
	}
}
