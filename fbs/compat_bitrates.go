package fbs

// bitratesRule: before 3.27, bitrates had 32 bits. Larger ones, from about 4.3 Gbit/s on, are told as the largest number;
// the codec converts by itself wherever the sizes of an integer differ.
var bitratesRule = CompatRule{
	Name: "bitrates", Until: "3.26.0",
	Text: "bitrates of 32 bits; larger ones are told as 4294967295",
}
