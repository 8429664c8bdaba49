import gazpacho, { importDataProducer, importProducer, ImportError, nodeBin, workerBin, type ImportOptions } from 'gazpacho';
import type { types } from 'mediasoup';

export const options: ImportOptions = { timeout: 1000 };
export const same: boolean = gazpacho.workerBin === workerBin && gazpacho.nodeBin === nodeBin;
export const use = (router: types.Router): Promise<types.Producer> => importProducer(router, 'x', options);
export const useData = (router: types.Router): Promise<types.DataProducer> => importDataProducer(router, 'x', options);
export const code = (error: ImportError): string => error.code;
// @ts-expect-error
export const wrong: number = workerBin;
