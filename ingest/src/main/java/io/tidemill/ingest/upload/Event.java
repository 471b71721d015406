package io.tidemill.ingest.upload;

import com.google.protobuf.Message;

/**
 * A record ready to be written.
 *
 * @param id id of the record, its own or made here; also its key in the topic
 */
record Event(String id, Message message) {}
