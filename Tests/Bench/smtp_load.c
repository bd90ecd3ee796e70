/*
 * smtp_load: the sender. SESSIONS threads, each with one connection, each sending its share of MESSAGES one after
 * another in the dialogue of an ordinary sender: MAIL, RCPT and DATA in one group when EHLO offered PIPELINING (RFC
 * 2920), one by one otherwise; then the message, then waiting for its 250 before the next begins. What it measures is
 * messages for which the server has taken responsibility.
 *
 *   smtp_load PORT SESSIONS MESSAGES SIZE RECIPIENTS [MAILDROPS]
 *
 * A message has SIZE octets without the final dot line. With one recipient, session k writes to userK (K = k modulo
 * MAILDROPS, 10 unless given); with R of them to user0 … user(R-1), all @bench.example. Every other reply than the one
 * expected ends the program with exit code 76. Prints "messages seconds start": the seconds from the first MAIL (every
 * session has its EHLO behind it by then) to the last 250, and the monotonic clock at that first MAIL.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { most_sessions = 200, most_recipients = 100 };

static int port;
static long recipients, maildrops;
static char *content; /* with the final dot line */
static size_t content_length;
static pthread_barrier_t ready, done;

struct session {
	pthread_t thread;
	long number, messages;
};

/* Reads one reply, all its lines, and expects `code`. True when a line's text is `keyword` (for EHLO). */
static int expect(struct reader *reader, const char *code, const char *keyword)
{
	int found = 0;
	for (int lines = 0; lines < 1000; lines++) {
		char *line = read_line(reader);
		if (strncmp(line, code, 3) != 0)
			errx(76, "expected %s, the server answered: %s", code, line);
		if (keyword != NULL && strlen(line) > 4 && strcmp(line + 4, keyword) == 0)
			found = 1;
		if (line[3] != '-')
			return found;
	}
	errx(76, "a reply of more than 1000 lines");
}

/* The commands of one transaction, one string, each ended by CRLF. */
static char *transaction(long session)
{
	size_t room = 128 + (size_t)recipients * 64, at;
	char *text = malloc(room);
	if (text == NULL)
		err(71, "malloc");
	at = (size_t)snprintf(text, room, "MAIL FROM:<sender@sender.example>\r\n");
	for (long i = 0; i < recipients; i++)
		at += (size_t)snprintf(text + at, room - at, "RCPT TO:<user%ld@bench.example>\r\n",
		    recipients == 1 ? session % maildrops : i);
	snprintf(text + at, room - at, "DATA\r\n");
	return text;
}

static void *run(void *argument)
{
	struct session *session = argument;
	int fd = connect_to(port, 1);
	struct reader *reader = reader_new(fd);
	static const char ehlo[] = "EHLO sender.example\r\n", quit[] = "QUIT\r\n";

	expect(reader, "220", NULL);
	send_all(fd, ehlo, sizeof ehlo - 1);
	int pipelining = expect(reader, "250", "PIPELINING");
	char *commands = transaction(session->number);

	pthread_barrier_wait(&ready);
	for (long i = 0; i < session->messages; i++) {
		if (pipelining) {
			send_all(fd, commands, strlen(commands));
			for (long reply = 0; reply < 1 + recipients; reply++)
				expect(reader, "250", NULL);
		} else {
			const char *at = commands;
			for (long reply = 0; reply < 1 + recipients; reply++) {
				const char *next = strchr(at, '\n') + 1;
				send_all(fd, at, (size_t)(next - at));
				expect(reader, "250", NULL);
				at = next;
			}
			send_all(fd, at, strlen(at));
		}
		expect(reader, "354", NULL);
		send_all(fd, content, content_length);
		expect(reader, "250", NULL);
	}
	pthread_barrier_wait(&done);

	send_all(fd, quit, sizeof quit - 1);
	expect(reader, "221", NULL);
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct session session[most_sessions];
	if (argc != 6 && argc != 7)
		errx(64, "usage: smtp_load PORT SESSIONS MESSAGES SIZE RECIPIENTS [MAILDROPS]");
	port = (int)number(argv[1], 1, 65535);
	long sessions = number(argv[2], 1, most_sessions);
	long messages = number(argv[3], sessions, 100000000);
	size_t size = (size_t)number(argv[4], 128, 100 << 20);
	recipients = number(argv[5], 1, most_recipients);
	maildrops = argc == 7 ? number(argv[6], 1, 1000000) : 10;

	char *text = message_text(size);
	content_length = size + 3;
	content = malloc(content_length + 1);
	if (content == NULL)
		err(71, "malloc");
	memcpy(content, text, size);
	memcpy(content + size, ".\r\n", 4);

	pthread_barrier_init(&ready, NULL, (unsigned)sessions + 1);
	pthread_barrier_init(&done, NULL, (unsigned)sessions + 1);
	for (long i = 0; i < sessions; i++) {
		session[i].number = i;
		session[i].messages = messages / sessions + (i < messages % sessions);
		if (pthread_create(&session[i].thread, NULL, run, &session[i]) != 0)
			err(71, "pthread_create");
	}
	pthread_barrier_wait(&ready);
	double start = seconds();
	pthread_barrier_wait(&done);
	double end = seconds();
	for (long i = 0; i < sessions; i++)
		pthread_join(session[i].thread, NULL);
	printf("%ld %.6f %.6f\n", messages, end - start, start);
	return 0;
}
