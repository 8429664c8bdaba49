'use strict';

class ImportError extends Error {
	constructor(code, message, options) {
		super(message, options);
		this.name = 'ImportError';
		this.code = code;
	}
}

// reasonOf returns the ImportError for what mediasoup's library refused.
function reasonOf(cause, router) {
	if (router.closed) {
		return new ImportError('ROUTER_NOT_FOUND', 'the Router is closed', { cause });
	}
	const code = cause.name === 'UnsupportedError' ? 'UNSUPPORTED' : 'FAILED';
	return new ImportError(code, `mediasoup refused the import: ${cause.message}`, { cause });
}

module.exports = { ImportError, reasonOf };
