/**
 * What an operator asks of a running mill from the command line: over HTTP to the gateway, which writes it to
 * {@code commands}; the trainer carries it out, once. Nothing is kept here.
 */
package io.tidemill.standalone.control;
