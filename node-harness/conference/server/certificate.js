// Browsers give pages cameras and microphones only over HTTPS, but on localhost. For a try from other machines, a certificate that
// signs itself is enough: browsers warn once. TLS_CERT and TLS_KEY name files of a real one.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as tls from 'node:tls';

const DAYS = 30;

// pair reads a certificate and its key.
function pair(TLS_CERT, TLS_KEY) {
	try {
		const [cert, key] = [fs.readFileSync(TLS_CERT ?? ''), fs.readFileSync(TLS_KEY ?? '')];
		tls.createSecureContext({ cert, key });
		return { cert, key };
	} catch (cause) {
		throw new Error(`TLS_CERT=${TLS_CERT ?? ''}, TLS_KEY=${TLS_KEY ?? ''}: files with a certificate and its key (PEM) are needed: ${cause.message}`, { cause });
	}
}

export function certificate(address, { TLS_CERT, TLS_KEY } = process.env) {
	if (TLS_CERT || TLS_KEY) {
		return pair(TLS_CERT, TLS_KEY);
	}
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'conference-'));
	const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
	const name = `${net.isIP(address) ? 'IP' : 'DNS'}:${address}`;
	try {
		execFileSync('openssl', [
			'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', String(DAYS),
			'-subj', '/CN=conference', '-addext', `subjectAltName=${name},DNS:localhost`, '-keyout', key, '-out', cert,
		], { stdio: 'pipe' });
		return { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
}
