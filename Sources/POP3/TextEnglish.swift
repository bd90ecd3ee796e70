extension Text {
  /// ASCII only: this is also what is spoken to those who chose no language.
  var english: StaticString {
    switch self {
    case .password: "Now the password, please."
    case .welcome: "Welcome. Your maildrop holds # messages (% octets)."
    case .goodbye: "Goodbye."
    case .deleted: "# messages deleted. Goodbye."
    case .capabilities: "Capabilities follow."
    case .mechanisms: "Mechanisms follow."
    case .languages: "Languages follow."
    case .chosen: "English it is."
    case .utf8: "UTF-8 it is."
    case .beginTLS: "Begin TLS now."
    case .listing, .uniqueIDs: "# messages (% octets)"
    case .message: "# octets"
    case .top: "The top of message # follows."
    case .marked: "Message # will be deleted when you quit."
    case .unmarked: "No message is marked: # messages (% octets)"
    case .here: "Here."

    case .unknown: "This server does not know that command. Nothing was changed."
    case .notText: "The command holds control characters. It was not carried out; nothing was changed."
    case .tooLong: "The command line is too long. It was not carried out; nothing was changed."
    case .tooMany: "Too many commands were in error, so the server ends the connection. Nothing was deleted."
    case .notYet: "This works only after logging in. Give your user name and password first."
    case .noLonger: "This works only before logging in, and you are logged in already. Nothing was changed."
    case .argument: "The command needs something after it that is missing. Nothing was changed."
    case .noArgument: "The command has more after it than belongs there. It was not carried out; nothing was changed."
    case .userName: "This cannot be a user name: it holds spaces or is not UTF-8. Check it in your mail program."
    case .numberNeeded: "The command needs a message's number, such as 1. Nothing was changed."
    case .topNeeds: "TOP needs a message's number and a number of lines, such as 1 10. Nothing was changed."
    case .language: "This server does not speak that language. It goes on as before; LANG alone lists those it speaks."
    case .noAPOP: "APOP is not offered here. Choose 'normal password' in your mail program's settings."
    case .noTLS: "Encryption cannot be started here. Nothing was changed."
    case .pipelinedTLS: "Commands were sent along with STLS, where others could have slipped them in. Connection ends."
    case .http: "This is a mail server (POP3), not a web server. Open it with a mail program."
    case .tls: "This port begins without encryption. Choose another port or encryption in your mail program's settings."
    case .smtp: "This port is for reading mail (POP3). Set up the server for outgoing mail (SMTP) separately."

    case .userFirst: "Give the user name first, then the password."
    case .insecure:
      """
      [AUTH] This connection is not encrypted, so the server takes no password on it. Your mail is safe. \
      Choose SSL/TLS or STARTTLS in your mail program's settings.
      """
    case .noMechanism: "This kind of login is not offered here. Choose 'normal password' in your mail program."
    case .cancelled: "The login was given up, as your mail program asked. Nothing was changed."
    case .malformed: "Your mail program's answer cannot be read, so the login was given up. Nothing was changed."
    case .refused:
      """
      [AUTH] The user name or the password is wrong. Your mail is safe. Check both in your mail program's \
      settings, capital and small letters too.
      """
    case .refusedAndOver:
      """
      [AUTH] The user name or the password is wrong, as several times before, so the server ends the connection. \
      Your mail is safe. Check both in your mail program's settings.
      """
    case .loginFault:
      "[SYS/TEMP] The server cannot open your maildrop just now. Your mail is kept. Try again in a few minutes."
    case .broken:
      """
      [SYS/PERM] The server cannot open your maildrop, and trying again will not help. New mail is still taken in. \
      Tell whoever looks after the server.
      """
    case .loginDelay:
      """
      [LOGIN-DELAY] Your mail was asked for less than # seconds ago. It is safe. Wait a little, or let your mail \
      program check less often.
      """

    case .banned:
      """
      [AUTH] Too many wrong passwords came from your address. Your mail is safe. Correct the password in every mail \
      program there, then try again in # minutes.
      """

    case .empty: "There is no message #: the maildrop is empty."
    case .noSuchMessage: "There is no message #; the last one is %. Check for mail again."
    case .isMarked: "Message # is marked to be deleted. RSET, or leaving without QUIT, keeps it."
    case .needsUTF8:
      """
      [UTF8] Message # is addressed in letters your mail program has not said it can read. It is kept here. \
      Fetch it with a mail program that supports international addresses (UTF8).
      """
    case .readFault: "[SYS/TEMP] Message # cannot be read just now. It is kept. Try again in a few minutes."
    case .gone:
      """
      [SYS/PERM] Message # can no longer be read from the server's disk. Your other messages are not affected. \
      Tell whoever looks after the server.
      """
    case .listFault:
      "[SYS/TEMP] The list of your messages cannot be read just now. They are kept. Try again in a few minutes."
    case .updateFault:
      """
      [SYS/TEMP] Not all of the messages could be deleted just now. None is lost; some may come again when you \
      next check for mail.
      """
    case .shuttingDown:
      "[SYS/TEMP] The server is being restarted. Your mail is safe, nothing was deleted. Try again in a minute."
    }
  }
}
