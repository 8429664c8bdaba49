export { workerBin, nodeBin, importProducer, importDataProducer, ImportError } from './index.js';
export type { ImportErrorCode, ImportOptions } from './index.js';
declare const gazpacho: typeof import('./index.js');
export default gazpacho;
