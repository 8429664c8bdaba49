package fbs

// layersRule: the schema of 3.13.0 and 3.13.1 cannot say that a consumer has no layers any more, though their worker and
// their Node library can.
var layersRule = CompatRule{
	Name: "no layers", Until: "3.13.1",
	Text:            "the notification of changed layers required layers",
	relaxedRequired: []string{"FBS.Consumer.LayersChangeNotification.layers"},
}
