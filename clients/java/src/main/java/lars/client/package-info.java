/**
 * The API for business processes: which host do I call now, and how did the call go?
 *
 * <pre>{@code
 * LarsClient client = new LarsClient();                          // the agent of this machine
 * client.register(1, 1);                                         // once, at start
 * String page = client.call(1, 1, host -> fetch(host.address())); // reports success, or failure on an exception
 * }</pre>
 */
package lars.client;
