import type { types } from 'mediasoup';

/** Why a producer could not be imported. */
export type ImportErrorCode =
	/** The Router is of no worker in a cluster (`GAZPACHO_CLUSTER`), or its worker has ended. */
	| 'ROUTER_NOT_FOUND'
	/** No application of the tenant has a producer, or data producer, of that id, or it closed meanwhile. */
	| 'PRODUCER_NOT_FOUND'
	/** The Router does not support the producer's codec, or the cluster cannot import such a producer. */
	| 'UNSUPPORTED'
	/** Too many imports at once: try again. */
	| 'BUSY'
	/** It took longer than `timeout`. */
	| 'TIMEOUT'
	/** Anything else; `cause` may say more. */
	| 'FAILED';

export declare class ImportError extends Error {
	readonly name: 'ImportError';
	readonly code: ImportErrorCode;
}

export interface ImportOptions<ProducerAppData extends types.AppData = types.AppData> {
	/** The `appData` of the Producer or DataProducer. */
	appData?: ProducerAppData;
	/** How long to wait, in milliseconds (default: 10,000). */
	timeout?: number;
}

/**
 * Makes a producer of another application of the cluster one of a Router's: anybody on this Router can consume it.
 *
 * The Producer follows the original: it is paused, resumed and closed when that is. It also closes if the news of the original
 * is lost, as when the worker ends. `producer.observer` tells (`pause`, `resume`, `close`). Closing it ends the import.
 *
 * @throws {ImportError} with a `code`; {TypeError} for wrong arguments.
 */
export declare function importProducer<ProducerAppData extends types.AppData = types.AppData>(
	router: types.Router, producerId: string, options?: ImportOptions<ProducerAppData>,
): Promise<types.Producer<ProducerAppData>>;

/**
 * The same for a data producer: its messages, with their subchannels, come to all who consume it on this Router.
 *
 * Label, protocol and how reliably messages are sent are those of the original. `send()` of an import sends nothing.
 *
 * @throws {ImportError} with a `code`; {TypeError} for wrong arguments.
 */
export declare function importDataProducer<DataProducerAppData extends types.AppData = types.AppData>(
	router: types.Router, dataProducerId: string, options?: ImportOptions<DataProducerAppData>,
): Promise<types.DataProducer<DataProducerAppData>>;
