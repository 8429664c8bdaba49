package front

import "gazpacho/engine/api"

// ImportedData is a data producer of another application, for this one to produce under a fresh id.
type ImportedData struct {
	ID                   string                    // for transport.produceData()
	SCTPStreamParameters *api.SCTPStreamParameters // those of the original
	Label, Protocol      string
	Paused               bool
}

// ImportData is Import for a data producer.
func (f *Front) ImportData(routerID, dataProducerID string, done func(ImportedData, *ImportError), event func(ImportEvent)) (stop func()) {
	d := &importedData{}
	d.as, d.event = d, event
	d.done = func(err *ImportError) {
		if err != nil {
			done(ImportedData{}, err)
			return
		}
		done(ImportedData{d.id, d.told.SCTPStreamParameters, d.told.Label, d.told.Protocol, d.paused}, nil)
	}
	return f.startImport(&d.imported, routerID, dataProducerID)
}

// importedData is a data producer of another application.
type importedData struct {
	imported
	told     *api.DataProducerDumpResponse // by the node of the original
	producer *dataProducer                 // nil until it is produced
}

func (d *importedData) what() string { return "DataProducer" }

func (d *importedData) name(r *api.WorkerCreateRouterRequest) { r.DataProducerID = d.original }

func (d *importedData) read(answer api.ResponseBody) *origin {
	told, ok := answer.(*api.DataProducerDumpResponse)
	if !ok || told == nil {
		return nil
	}
	return &origin{told.Home, told.Paused, told}
}

func (d *importedData) take(o *origin) { d.told = o.dump.(*api.DataProducerDumpResponse) }

// produceImportedData is produceImported for a data producer. How its messages are sent is the application's choice, as for its own.
func produceImportedData(o *operation, t *transport, body *api.TransportProduceDataRequest) *gate {
	d, ok := o.front.offered(body.DataProducerID, t.router).(*importedData)
	if !ok {
		return o.refuseImport(body.DataProducerID)
	}
	p := &dataProducer{
		entry: entry{id: d.id, router: t.router, node: d.home.node}, transport: t, request: body, paused: body.Paused, imported: d,
	}
	d.producer = p
	o.enter(p)
	t.dataProducers = append(t.dataProducers, p)
	o.front.counters.Imports++
	return o.answer(p.dump(), nil)
}

func (d *importedData) produced() bool { return d.producer != nil }

// hear implements importable: of a data producer a node tells nothing else.
func (d *importedData) hear(*api.Notification) {}

// feed has the messages taken out of the new home when the Router is reconciled. The far ends of the relays have stayed.
func (d *importedData) feed() bool {
	p := d.producer
	p.node = d.home.node
	for _, r := range p.relays {
		r.cutOff = true
	}
	return true
}

func (d *importedData) closeConsumers(error) {
	d.producer.lost = true
	d.producer.closeElsewhere()
}

// dump tells of an import what the application has made of it.
func (p *dataProducer) dump() *api.DataProducerDumpResponse {
	return &api.DataProducerDumpResponse{
		ID: p.id, Type: p.request.Type, SCTPStreamParameters: p.request.SCTPStreamParameters,
		Label: p.request.Label, Protocol: p.request.Protocol, Paused: p.paused,
	}
}

func dumpDataProducer(o *operation, p *dataProducer) *gate {
	if p.imported != nil {
		return o.answer(p.dump(), nil)
	}
	return o.pass(p.node)
}
