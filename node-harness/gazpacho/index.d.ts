/** Path of the worker binary for this platform: `mediasoup.createWorker({ workerBin })`. Throws if none is installed. */
export declare const workerBin: string;

/** Path of `gazpacho`, the program for nodes. Throws if none is installed. */
export declare const nodeBin: string;

export { importProducer, importDataProducer, ImportError } from './import-producer.js';
export type { ImportErrorCode, ImportOptions } from './import-producer.js';
