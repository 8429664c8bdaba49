// The application's side of a conversation with the suite, which runs in another process: it carries out commands, and reports events.

// Events that say what became of an object. Scores are left out: they are figures, and how many there are is a matter of timing.
const EVENTS = [
	'died', 'icestatechange', 'iceselectedtuplechange', 'dtlsstatechange', 'sctpstatechange', 'tuple', 'producerclose',
	'producerpause', 'producerresume', 'layerschange', 'dataproducerclose',
];

// watch reports an object's events under a name that does not change from run to run.
export function watch(owner, object, emitter) {
	for (const event of EVENTS) {
		emitter.on(event, detail => {
			const value = event === 'layerschange' ? detail?.spatialLayer ?? 'none' : detail;
			process.send({ event: { owner, object, event, detail: value } });
		});
	}
}

// obey carries out the suite's commands, functions by name, until the suite ends.
export function obey(commands) {
	process.on('message', async ({ id, command, args }) => {
		try {
			process.send({ id, result: await commands[command](args) });
		} catch (error) {
			process.send({ id, error: error.stack });
		}
	});
	process.on('disconnect', () => process.exit());
}
