// What an application in TypeScript does with the package. Each @ts-expect-error is a mistake that must be one.
import gazpacho = require('gazpacho');
import { importDataProducer as importedData, importProducer as imported } from 'gazpacho/import-producer';
import * as mediasoup from 'mediasoup';

async function use(router: mediasoup.types.Router): Promise<mediasoup.types.Producer> {
	await mediasoup.createWorker({ workerBin: gazpacho.workerBin });
	const path: string = gazpacho.nodeBin;
	const producer = await gazpacho.importProducer(router, path, { appData: { from: 'afar' }, timeout: 1000 });
	producer.appData.from satisfies string;
	// @ts-expect-error
	producer.appData.nothing;
	// @ts-expect-error
	await gazpacho.importProducer(router);
	// @ts-expect-error
	await gazpacho.importProducer(router, 7);
	// @ts-expect-error
	await imported(router, 'x', { patience: 1 });
	// @ts-expect-error
	gazpacho.workerBin = 'x';
	return imported(router, 'x');
}

async function useData(router: mediasoup.types.Router): Promise<mediasoup.types.DataProducer> {
	const data = await gazpacho.importDataProducer(router, 'x', { appData: { from: 'afar' } });
	data.appData.from satisfies string;
	data.label satisfies string;
	// @ts-expect-error
	data.rtpParameters;
	// @ts-expect-error
	await gazpacho.importDataProducer(router, 'x', { label: 'x' });
	return importedData(router, 'x');
}

function reason(error: unknown): string {
	if (!(error instanceof gazpacho.ImportError)) {
		return '';
	}
	const code: gazpacho.ImportErrorCode = error.code;
	// @ts-expect-error
	if (error.code === 'NONSENSE') {
		return 'never';
	}
	return code;
}

export = { use, useData, reason };
