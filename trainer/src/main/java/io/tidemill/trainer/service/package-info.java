/**
 * The edge: configuration, wiring, HTTP and health. In flow settings and requests; out flow a running trainer and its
 * files. Nothing is kept here, so a restart repeats nothing.
 */
package io.tidemill.trainer.service;
