// Objects that nobody closes. When an answer comes after the application has closed a transport or Router, mediasoup's library makes the
// object nevertheless, and nothing closes it with its parent any more. Its observers tell of it.
import * as mediasoup from 'mediasoup';

const CREATED = ['newrouter', 'newwebrtcserver', 'newtransport', 'newrtpobserver', 'newproducer', 'newconsumer', 'newdataproducer', 'newdataconsumer'];

const living = new Set();

// watch begins to look at what is made; it is for the start of the process.
export function watch() {
	mediasoup.observer.on('newworker', worker => follow(worker.observer));
}

function follow(observer) {
	for (const event of CREATED) {
		observer.on(event, object => {
			living.add(object);
			object.observer.once('close', () => living.delete(object));
			follow(object.observer);
		});
	}
}

// closeLate closes what still lives when everything is closed but some objects, and returns how many that were.
export function closeLate(lasting) {
	const late = [...living].filter(object => !lasting.includes(object));
	late.forEach(object => object.close());
	return late.length;
}
