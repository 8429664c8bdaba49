// Whatever a page sends is checked here before anything is done with it. A check takes a value and its name, and throws a
// BadRequest that says what is wrong; the page is shown that text.
export class BadRequest extends Error {}

function need(condition, message) {
	if (!condition) {
		throw new BadRequest(message);
	}
}

export const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value);

// text: control characters are refused, since names are shown to others.
export const text = ({ max, pattern = /^[^\p{Cc}]+$/u }) => (value, name) => {
	need(typeof value === 'string', `${name} must be a text`);
	need(value.length > 0 && value.length <= max, `${name} must have 1 to ${max} characters`);
	need(pattern.test(value), `${name} has characters that are not allowed`);
};

export const oneOf = values => (value, name) => need(values.includes(value), `${name} must be one of ${values.join(', ')}`);

export const integer = (min, max) => (value, name) => {
	need(Number.isInteger(value) && value >= min && value <= max, `${name} must be a whole number from ${min} to ${max}`);
};

// parameters are mediasoup's own objects, such as rtpParameters: mediasoup checks what is in them.
export const parameters = (value, name) => need(isObject(value), `${name} must be an object`);

// check applies a table of checks. All that it names must be there, and nothing else.
export function check(checks, data) {
	need(isObject(data), 'data must be an object');
	for (const name of Object.keys(data)) {
		need(Object.hasOwn(checks, name), `there is nothing called ${name.slice(0, 40)} in this request`);
	}
	for (const [name, checkValue] of Object.entries(checks)) {
		checkValue(data[name], name);
	}
}
