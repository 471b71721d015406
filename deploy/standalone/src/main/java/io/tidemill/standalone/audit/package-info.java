/**
 * The auditor's commands. In flow a mill's log and its data directory; out flow sentences or JSON. Nothing is changed, so a
 * restart says the same.
 */
package io.tidemill.standalone.audit;
