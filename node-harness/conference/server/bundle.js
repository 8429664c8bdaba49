// The page as files to serve. esbuild puts mediasoup-client and the page's modules into one script; nothing built is stored.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';

const folder = path.join(import.meta.dirname, '..', 'page');

export async function bundle() {
	const { outputFiles } = await build({
		entryPoints: [path.join(folder, 'main.js')], bundle: true, format: 'esm', minify: true, write: false, logLevel: 'error',
		legalComments: 'inline',
	});
	const read = name => fs.readFileSync(path.join(folder, name));
	return {
		'/': { type: 'text/html; charset=utf-8', body: read('index.html') },
		'/main.js': { type: 'text/javascript; charset=utf-8', body: outputFiles[0].contents },
		'/style.css': { type: 'text/css; charset=utf-8', body: read('style.css') },
		'/icon.svg': { type: 'image/svg+xml', body: read('icon.svg') },
	};
}
