// Browsers give pages cameras and microphones only over HTTPS, but on localhost. For a try from other machines, a certificate that
// signs itself is enough: browsers warn once. TLS_CERT and TLS_KEY name files of a real one.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';

const DAYS = 30;

export function certificate(address, { TLS_CERT, TLS_KEY } = process.env) {
	if (TLS_CERT) {
		return { cert: fs.readFileSync(TLS_CERT), key: fs.readFileSync(TLS_KEY) };
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
