/**
 * The API for business processes: asks for the host to call, and reports how the call went.
 *
 * <pre>{@code
 * LarsClient client = new LarsClient();                          // the agent of this machine
 * client.register(1, 1);                                         // once, at start
 * String page = client.call(1, 1, host -> fetch(host.address())); // reports success, or failure on an exception
 * }</pre>
 */
package lars.client;
