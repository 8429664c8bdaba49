// Prometheus scrapes a worker, three nodes under load and one that has the bus, as docs/operations.md says. promtool must have nothing to complain about,
// each query of the dashboard must have an answer, and the alerts must load and keep quiet. What the dashboard would show is printed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import * as path from 'node:path';
import { Scene } from '../faults/scene.js';
import { createCertificates } from '../lib/nodes.js';
import { guard } from '../lib/processes.js';
import { compactNtp, parseRtcp, receiverReport, TYPE } from '../lib/rtcp.js';
import { until } from '../lib/wait.js';

const ROOT = path.join(import.meta.dirname, '..', '..');
const OUT = path.join(ROOT, 'build', 'metrics');
const TLS = path.join(OUT, 'tls');
const DEPLOY = path.join(ROOT, 'deploy');
const PORTS = 8; // in the range that worker and nodes share
const LOCAL = '127.0.0.1';

// get resolves with the answer to an HTTP request.
function get(url) {
	return new Promise((resolve, reject) => {
		http.get(url, response => {
			let body = '';
			response.on('data', chunk => (body += chunk));
			response.on('end', () => resolve({ code: response.statusCode, body }));
		}).on('error', reject);
	});
}

// freePorts returns the first of so many ports in a row that nobody uses now.
async function freePorts(count) {
	for (;;) {
		const first = 20000 + Math.floor(Math.random() * 12000);
		const open = await Promise.all(Array.from({ length: count }, (_, i) => listen(first + i)));
		open.forEach(server => server?.close());
		if (open.every(server => server)) {
			return first;
		}
	}
}

function listen(port) {
	return new Promise(resolve => {
		const server = net.createServer();
		server.once('error', () => resolve(undefined));
		server.listen(port, LOCAL, () => resolve(server));
	});
}

// findAll resolves with the addresses of the worker and of the nodes, the bus among them, once all five answer.
async function findAll(first) {
	return until('a worker and four nodes show metrics', async () => {
		const found = { worker: [], nodes: [] };
		for (let port = first; port < first + PORTS; port++) {
			const answer = await get(`http://${LOCAL}:${port}/metrics`).catch(() => undefined);
			if (answer) {
				const kind = answer.body.includes('gazpacho_channel_waiting_bytes') ? found.worker : found.nodes;
				kind.push({ target: `${LOCAL}:${port}`, text: answer.body });
			}
		}
		return found.worker.length === 1 && found.nodes.length === 4 && found;
	});
}

// carries says whether a node has somebody's transports, so that it does not end as soon as it drains.
const carries = ({ text }) => /gazpacho_transports{kind="plain"} [1-9]/.test(text);

// reportOnSound answers sender reports about sound, as any receiver does: with losses, and so that round-trip times are known.
function reportOnSound(person) {
	person.sound.handleRtcp = packet => {
		for (const { type, ssrc, ntp } of parseRtcp(packet)) {
			if (type === TYPE.SR) {
				person.sound.sendRaw(receiverReport({ ssrc: 1, mediaSsrc: ssrc, fractionLost: 5, packetsLost: 1, lastSenderReport: compactNtp(ntp) }));
			}
		}
	};
}

// lint has promtool look at what is shown.
function lint({ target, text }) {
	execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'inherit', 'inherit'] });
	console.log(`promtool check metrics: ${target} passed, ${text.split('\n').filter(line => line && !line.startsWith('#')).length} series`);
}

// Prometheus is its process.
class Prometheus {
	static async start({ worker, nodes }) {
		const targets = list => `[${list.map(({ target }) => `'${target}'`).join(', ')}]`;
		const config = path.join(OUT, 'prometheus.yml');
		fs.writeFileSync(config, `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ['${path.join(DEPLOY, 'prometheus', 'gazpacho.rules.yml')}']
scrape_configs:
  - {job_name: gazpacho-worker, static_configs: [{targets: ${targets(worker)}}]}
  - {job_name: gazpacho-node, static_configs: [{targets: ${targets(nodes)}}]}
`);
		const port = await freePorts(1);
		const log = fs.openSync(path.join(OUT, 'prometheus.log'), 'w');
		const prometheus = new Prometheus();
		prometheus.url = `http://${LOCAL}:${port}/api/v1`;
		prometheus.child = guard(spawn('prometheus', [
			`--config.file=${config}`, `--storage.tsdb.path=${path.join(OUT, 'data')}`, `--web.listen-address=${LOCAL}:${port}`,
		], { stdio: ['ignore', log, log] }));
		return prometheus;
	}

	async ask(what, parameters = {}) {
		const { body } = await get(`${this.url}/${what}?${new URLSearchParams(parameters)}`);
		const { status, error, data } = JSON.parse(body);
		assert.equal(status, 'success', `${what} ${JSON.stringify(parameters)}: ${error}`);
		return data;
	}

	// query returns the values of an expression by labels.
	async query(query) {
		const { result } = await this.ask('query', { query });
		return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
	}
}

// queriesOf returns the queries of the dashboard as Grafana would send them for everything. Quantiles of nothing are left out there by
// ">= 0"; here NaN is an answer.
function queriesOf(dashboard) {
	const all = expr => expr.replaceAll('$job', '.+').replaceAll('$instance', '.+').replaceAll('$__rate_interval', '5s').replaceAll('$__range', '5m').replaceAll(' >= 0', '');
	return dashboard.panels.flatMap(({ title, targets = [] }) =>
		targets.map(({ expr, legendFormat }) => ({ title: [title, legendFormat].filter(Boolean).join(': '), query: all(expr) })));
}

// draw prints what a panel shows.
function draw(title, answer) {
	const numbers = answer.map(({ value }) => value).filter(value => !Number.isNaN(value));
	const shown = numbers.slice(0, 4).map(value => Number(value.toPrecision(3))).join(', ');
	console.log(`  ${title.padEnd(72)} ${shown || 'nothing observed'}${numbers.length > 4 ? ', …' : ''}`);
}

async function watch(prometheus) {
	await until('Prometheus scrapes all', async () => {
		const up = await prometheus.query('up').catch(() => []);
		return up.length === 5 && up.every(({ value }) => value === 1);
	});
	for (const query of [ // what the scene has for sure
		'gazpacho_ice_transports{state="completed"}', 'gazpacho_dtls_transports{state="connected"}', 'gazpacho_sctp_associations{state="connected"}',
		'rate(gazpacho_rtp_sent_packets_total{type="media"}[5s])', 'gazpacho_transports{kind="relay"}', 'gazpacho_relays{kind="media"}',
		'gazpacho_node_sessions{state="connected"}', 'gazpacho_region_nodes{state="serving"}', 'gazpacho_cluster_nodes{state="present"}', 'gazpacho_consumer_layers{spatial="2"}',
		'gazpacho_requests_total{method="transport.consume",result="accepted"}', 'rate(gazpacho_shard_busy_seconds_total[5s])',
		'rate(gazpacho_consumer_round_trip_time_seconds_count[5s])', 'rate(gazpacho_consumer_loss_ratio_sum[5s])',
	]) {
		await until(`${query} is above 0`, async () => (await prometheus.query(`${query} > 0`)).length > 0);
	}
	const queries = queriesOf(JSON.parse(fs.readFileSync(path.join(DEPLOY, 'grafana', 'gazpacho.json'))));
	assert.ok(queries.length > 50, 'the dashboard has more queries');
	console.log('\nWhat the dashboard shows:');
	for (const { title, query } of queries) {
		draw(title, await until(`${title} has an answer to ${query}`, async () => {
			const answer = await prometheus.query(query);
			return answer.length > 0 && answer;
		}));
	}
}

async function checkAlerts(prometheus) {
	const { groups } = await prometheus.ask('rules');
	const rules = groups.flatMap(({ rules }) => rules);
	assert.ok(rules.length > 10, 'there are more alerts');
	await until('all alerts are evaluated', async () => (await prometheus.ask('rules')).groups.every(group =>
		group.rules.every(({ health }) => health === 'ok')));
	const { alerts } = await prometheus.ask('alerts');
	const firing = alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
	assert.deepEqual(firing, []);
	console.log(`\n${rules.length} alerts are evaluated; none fires.`);
}

// checkHealth looks at a node, and has it drain.
async function checkHealth({ target }, nodes) {
	assert.deepEqual(await get(`http://${target}/healthz`), { code: 200, body: 'alive\n' });
	assert.deepEqual(await get(`http://${target}/readyz`), { code: 200, body: 'ready\n' });
	nodes.forEach(({ child }) => child.kill('SIGTERM'));
	await until('the node says that it drains', async () => (await get(`http://${target}/readyz`)).code === 503);
	assert.deepEqual(await get(`http://${target}/healthz`), { code: 200, body: 'alive\n' });
	console.log('A node that drains is alive, and not ready.');
}

async function main() {
	fs.rmSync(OUT, { recursive: true, force: true });
	fs.mkdirSync(OUT, { recursive: true });
	createCertificates(TLS, ['a', 'b', 'c', 'bus']);
	const first = await freePorts(PORTS);
	process.env.GAZPACHO_METRICS = `${LOCAL}:${first}-${first + PORTS - 1}`;
	const scene = await Scene.open({ tls: TLS, folder: OUT, random: () => 0, joined: true });
	let prometheus;
	try {
		scene.people.forEach(reportOnSound);
		const found = await findAll(first);
		[...found.worker, ...found.nodes].forEach(lint);
		prometheus = await Prometheus.start(found);
		await watch(prometheus);
		await checkAlerts(prometheus);
		await checkHealth(found.nodes.find(carries), scene.nodes);
	} finally {
		prometheus?.child.kill('SIGTERM');
		scene.end();
	}
	console.log('1 passed, 0 failed');
	process.exit(0);
}

await main();
