/**
 * Measures the engine. Each main class reads its setting from the command line and writes figures to standard output,
 * one JSON object a line, so that a script may run it beside a peer. Nothing is kept, and a restart repeats everything.
 */
package io.tidemill.bench;
