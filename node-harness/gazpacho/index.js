'use strict';
const { findBinary } = require('./lib/binaries.js');
const { importProducer, importDataProducer, ImportError } = require('./import-producer.js');

module.exports = {
	// The binaries are looked for when somebody asks: what needs none works where there is none.
	get workerBin() {
		return findBinary('mediasoup-worker');
	},
	get nodeBin() {
		return findBinary('gazpacho');
	},
	importProducer,
	importDataProducer,
	ImportError,
};
