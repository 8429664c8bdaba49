// Command guest fills a room of the conference (node-harness/conference) with people who are not there. Each is a WebRTC peer of pion that
// joins as the page does, by the conference's WebSocket: it sends a picture in three sizes and a voice, receives everybody else, and joins
// again when its connection, its node or the server is lost.
//
// All guests share one process, which ends when its standard input does, so that it does not outlive whoever started it. SIGUSR1 has
// them fall silent and stand still while their connections stay; SIGUSR2 has them go on. ffmpeg draws the pictures, before they join.
package main
