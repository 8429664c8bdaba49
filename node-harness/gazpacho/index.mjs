import gazpacho from './index.js';

// An import of names from index.js itself would hide why there is no binary: Node makes a getter that throws undefined.
export const { workerBin, nodeBin, importProducer, importDataProducer, ImportError } = gazpacho;
export default gazpacho;
