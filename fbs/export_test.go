package fbs

// Retired lists what the newest dialect lacks.
var Retired = retired
