package io.tidemill.ingest.upload;

import com.google.protobuf.Message;

/**
 * A record ready to be written.
 *
 * @param id  of the record, its own or made here
 * @param key in the topic
 */
record Event(String id, String key, Message message) {}
